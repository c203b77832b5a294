from chaos.proxy.proxy import Proxy


class DownFault:
    """A proxy that refuses connections, after closing the live ones."""

    kills = 0

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.key = f"down:{proxy.name}"

    def check(self) -> None:
        """Any proxy can be taken down; `key` keeps it from being taken down twice."""

    async def apply(self) -> None:
        await self._proxy.disable()

    async def revert(self) -> bool:
        try:
            await self._proxy.enable()
        except OSError:
            return False
        return await self._proxy.answers()
