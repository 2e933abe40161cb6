"""The sandbox: emulated CRMs under one address, a vendor a prefix."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self
from wsgiref.types import StartResponse, WSGIEnvironment

from .amocrm import AmoCrm
from .bitrix24 import Bitrix24
from .clock import Clock
from .control import make_front
from .courier import Courier
from .faults import Faults
from .gateway import Gateway, Latency
from .retailcrm import RetailCrm
from .serving import LoopbackServer
from .vendor import Vendor
from .world import World

MAKERS: Mapping[str, Callable[[World, Courier], Vendor]] = {
    "amocrm": AmoCrm,
    "bitrix24": Bitrix24,
    "retailcrm": RetailCrm,
}


class Sandbox:
    """Emulated CRMs with a clock, faults and webhooks of their own.

    Usable in process at once (`sandbox.amocrm.add_lead(...)`), as a WSGI application, and between `start` and `stop`
    (or inside `with`) as a server on 127.0.0.1.

    Raises ValueError for an unknown vendor.
    """

    def __init__(self, vendors: Sequence[str] = ("amocrm",), clock: Clock | None = None) -> None:
        unknown = sorted(set(vendors) - set(MAKERS))
        if unknown:
            raise ValueError(f"no emulator of {', '.join(unknown)}; there are {', '.join(MAKERS)}")
        self.world = World(clock)
        self.clock = self.world.clock
        self.faults = Faults()
        self.courier = Courier(self.clock)
        self.vendors: dict[str, Vendor] = {}
        self._latency = Latency()
        self._server: LoopbackServer | None = None
        for key in vendors:
            self.vendors[key] = MAKERS[key](self.world, self.courier)
            self.world.join(key, self.vendors[key])
        self._gateways = {
            key: Gateway(vendor, self.faults, self.clock, self._latency) for key, vendor in self.vendors.items()
        }
        self._front = make_front(self)

    @property
    def amocrm(self) -> AmoCrm:
        """The emulated amoCRM."""
        vendor = self.vendors["amocrm"]
        assert isinstance(vendor, AmoCrm)  # noqa: S101  the key was made with the class
        return vendor

    @property
    def retailcrm(self) -> RetailCrm:
        """The emulated retailCRM."""
        vendor = self.vendors["retailcrm"]
        assert isinstance(vendor, RetailCrm)  # noqa: S101  the key was made with the class
        return vendor

    @property
    def bitrix24(self) -> Bitrix24:
        """The emulated Bitrix24."""
        vendor = self.vendors["bitrix24"]
        assert isinstance(vendor, Bitrix24)  # noqa: S101  the key was made with the class
        return vendor

    @property
    def latency_s(self) -> float:
        """Seconds that every call takes at least."""
        return self._latency.seconds

    @latency_s.setter
    def latency_s(self, seconds: float) -> None:
        """Slow every call down from now on."""
        self._latency.seconds = seconds

    @property
    def url(self) -> str:
        """Where the server listens.

        Raises RuntimeError before `start`.
        """
        if self._server is None:
            raise RuntimeError("the sandbox is not started; use `with Sandbox() as sandbox:` or start()")
        return f"http://127.0.0.1:{self._server.port}"

    def start(self, port: int = 0) -> None:
        """Serve on 127.0.0.1; port 0 takes a free one.

        Raises OSError when the port is taken, RuntimeError when the sandbox is started already.
        """
        if self._server is not None:
            raise RuntimeError(f"the sandbox is started already at {self.url}")
        self._server = LoopbackServer(self, port)
        self.courier.open()
        for key, vendor in self.vendors.items():
            vendor.base_url = f"{self.url}/{key}"

    def stop(self) -> None:
        """Stop serving and sending hooks; records stay."""
        self.faults.clear()
        self.courier.close()
        if self._server is not None:
            self._server.close()
            self._server = None

    def settle(self, timeout: float = 5.0) -> bool:
        """True once no hook is in flight or due; False when that took longer than `timeout` seconds."""
        return self.courier.settle(timeout)

    def reset(self) -> None:
        """Return to accounts without records, no faults, no latency, the real clock."""
        self.faults.clear()
        self.latency_s = 0.0
        self.clock.release()
        for key, vendor in self.vendors.items():
            vendor.reset()
            vendor.limits.reset()
            vendor.requests.reset()
            self.courier.forget(key)
        self.world.touch()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        for key, gateway in self._gateways.items():
            if path == f"/{key}" or path.startswith(f"/{key}/"):
                environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/{key}"
                environ["PATH_INFO"] = path[len(key) + 1 :] or "/"
                return gateway(environ, start_response)
        # The longest root wins: two vendors may share the beginning of theirs.
        roots = {root: key for key in reversed(self._gateways) for root in self.vendors[key].root_paths}
        found = max((root for root in roots if path.startswith(root)), key=len, default=None)
        return (self._front if found is None else self._gateways[roots[found]])(environ, start_response)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
