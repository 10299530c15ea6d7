"""The command palette: every action of the key table, and what has a name besides."""

from textual.command import DiscoveryHit, Hit, Hits, Provider

from matchbox_tui.tui.screen import TradeScreen


class Actions(Provider):
    """What can be done on the trading screen, found by typing a part of its words."""

    async def search(self, query: str) -> Hits:
        """The actions whose words match."""
        matcher = self.matcher(query)
        for words, action in self._choices():
            score = matcher.match(words)
            if score > 0:
                yield Hit(score, matcher.highlight(words), self._doing(action), words)

    async def discover(self) -> Hits:
        """All actions, before anything was typed."""
        for words, action in self._choices():
            yield DiscoveryHit(words, self._doing(action), words)

    def _choices(self) -> list[tuple[str, str]]:
        screen = self.screen
        return screen.choices() if isinstance(screen, TradeScreen) else []

    def _doing(self, action: str):  # type: ignore[no-untyped-def]  # a callback as Textual has it
        screen = self.screen

        async def do() -> None:
            await screen.run_action(action)

        return do
