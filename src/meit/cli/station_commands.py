"""`meit serve`: the reading station."""

import argparse

from meit.cli.arguments import Subparsers, add_device, add_operating_point, input_folder, input_path, number
from meit.errors import MeitError
from meit.model import default_model
from meit.model.devices import chosen_device
from meit.model.operating_points import BALANCED, SENSITIVE


def serve(args: argparse.Namespace) -> int:
    """Opens the database, starts workers and the web server, and says where to look."""
    from meit.model.configuration import read_config

    try:
        from meit.station.app.station_settings import StationSettings
        from meit.station.posture import posture, posture_table
        from meit.station.serving import run
        from meit.station.store import open_store
    except ModuleNotFoundError as error:
        raise MeitError(f"the reading station needs pip install 'meit[station]' ({error.name} is not there)") from None

    if args.workers:
        config = read_config(args.model)  # the workers load it later, each by itself
        args.operating_point = args.operating_point or (SENSITIVE if config.sensitive else BALANCED)
        if args.device not in ("auto", "cpu"):  # which are always there
            chosen_device(args.device)
    settings = StationSettings(
        host=args.host,
        port=args.port,
        hosts=tuple(args.allow_host),
        https=args.https,
        model=args.model if args.workers else None,
        workers=args.workers,
        device=args.device,
        dtype=args.dtype,
        operating_point=args.operating_point or BALANCED,
        watch=args.watch,
        upload_bytes=args.upload_mb * 2**20,
    )
    store = open_store(args.database)
    try:
        if args.check:
            found = posture(store, settings)
            print(posture_table(found))
            return int(any(one.fault for one in found))
        run(store, settings, args.examples)
    finally:
        store.close()
    return 0


def add(commands: Subparsers) -> None:
    command = commands.add_parser(
        "serve",
        help="the reading station: open, correct, sign in a browser",
        description=(
            "Opens the reading station at http://127.0.0.1:8000: a worklist, a viewer, drafts to correct and to sign. The "
            "first start prints an address with a token, by which the first account is made."
        ),
    )
    command.add_argument("--host", default="127.0.0.1", help="address to listen at (default: this machine alone)")
    command.add_argument("--port", type=number(int, 0, 65_535), default=8000)
    command.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="a name by which browsers reach it"
    )
    command.add_argument("--https", action="store_true", help="browsers reach it by TLS, which a proxy in front ends")
    command.add_argument(
        "--database",
        metavar="URL",
        help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME (default: a file in the user's data folder)",
    )
    command.add_argument(
        "--model", type=input_folder, default=default_model(), help="drafts (default: the shipped model)"
    )
    command.add_argument(
        "--workers", type=number(int, 0), default=1, metavar="N", help="processes that draft; 0: others do"
    )
    add_device(command)
    add_operating_point(command, default=None)
    command.add_argument(
        "--watch", type=input_folder, metavar="DIR", help="recordings that are written into this folder are taken in"
    )
    command.add_argument(
        "--upload-mb", type=number(int, 1), default=64, metavar="MB", help="the most that a request may have"
    )
    command.add_argument("--examples", type=input_path, metavar="DIR", help="take these recordings in at the start")
    command.add_argument("--check", action="store_true", help="print how safe this is as it would be started, and exit")
    command.set_defaults(run=serve)
