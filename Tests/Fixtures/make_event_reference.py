"""A file of events as the package `tensorboard` writes it, for `EventFileTests`.

Made with tensorboard 2.21.0 and protobuf 7.36.2.
"""

import pathlib

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

PIXELS = bytes(range(256)) * 3


def scalars(step, time, values):
    items = [Summary.Value(tag=tag, simple_value=value) for tag, value in values]
    return Event(wall_time=time, step=step, summary=Summary(value=items))


def image(step, time, tag, height, width, png):
    shown = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=png)
    return Event(wall_time=time, step=step, summary=Summary(value=[Summary.Value(tag=tag, image=shown)]))


def main():
    path = pathlib.Path(__file__).parent.parent / "TrainingTests/Fixtures/events.tfevents"
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        for event in [
            Event(wall_time=1.5, file_version="brain.Event:2"),
            scalars(1, 2.25, [("loss/total", 0.75), ("loss/flow", 1e-3)]),
            scalars(300, 1.7e9, [("run/rate", -2.5), ("größe", 3.0)]),
            image(70_000, 1.75e9, "samples", 130, 768, PIXELS),
            Event(wall_time=1.75e9, step=301, session_log=SessionLog(status=SessionLog.START)),
        ]:
            writer.write(event.SerializeToString())
        writer.flush()


main()
