/// What a picture is known by: a stored one by its content's hash.
public typealias PictureID = String
