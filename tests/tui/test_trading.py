"""Trading by keyboard."""

from matchbox_tui.engine import DEFAULT_MARKET, HaltMarket, MarketStatus, NewOrder, Side
from matchbox_tui.store import MAX_BATCH
from tests.tui.cockpit import TRADER, app_on, press, screen_text, until, until_armed, until_shown
from tests.tui.venue import LocalVenue, market


async def test_buy() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "right b 2 5")
        await until_shown(pilot, "BUY", "takes 25 @ 52")
        assert venue.exchange.position(TRADER, "RAIN").qty == 0
        await press(pilot, "enter")
        await until_shown(pilot, "#3 bought 25 @ 52", "◆")
        assert venue.exchange.position(TRADER, "RAIN").qty == 25


async def test_sell_into_the_book_and_rest_the_remainder() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "left s 5 0 enter")
        await until_shown(pilot, "#3 sold 40 @ 48, 10 rest at 48", "▼ sell  10/50 @ 48")
        assert venue.exchange.position(TRADER, "RAIN").qty == -40


async def test_escape_sends_nothing() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        before = venue.exchange.seq
        await press(pilot, "b 7 escape enter")
        await until_shown(pilot, "nothing is prepared")
        assert "BUY" not in screen_text(app)
        assert venue.exchange.seq == before


async def test_join_the_best_price_after_an_immediate_order() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(120, 36)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "t t")
        await until_shown(pilot, "10 market")
        await press(pilot, "left n")
        await until_shown(pilot, "BUY  10 @ 48 limit", "rests behind 40 contracts")
        await press(pilot, "enter")
        await until_shown(pilot, "buy 10 @ 48 rests", "10 market")


async def test_type_a_price() -> None:
    venue = LocalVenue(())
    app = app_on(venue, DEFAULT_MARKET)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "● live", "waiting for the first order")
        await press(pilot, "b p 1 2 3 4 5 6 enter")
        await until_shown(pilot, "123,456")
        await press(pilot, "enter")
        await until_shown(pilot, "buy 10 @ 123,456 rests")
        assert venue.exchange.book(DEFAULT_MARKET).best_bid == 123_456


async def test_a_price_that_the_market_does_not_take_is_refused_while_typing() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live", "a arms trading")
        await press(pilot, "p 1 5 0 enter")
        await until_shown(pilot, "price is outside the market's range", "150▏")
        await press(pilot, "backspace backspace backspace 4 6 b")
        await until_shown(pilot, "BUY  10 @ 46")
        await press(pilot, "enter")
        await until_shown(pilot, "buy 10 @ 46 rests")


async def test_market_order_by_steps_of_kind_and_preset() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "b t t plus")
        await until_shown(pilot, "25 at market  takes 25 @ 52")
        await press(pilot, "enter")
        await until_shown(pilot, "bought 25 @ 52")


async def test_post_only_that_would_cross_is_refused_in_words() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "right b t t t")
        await until_shown(pilot, "post-only  post_only order would have traded at once")
        await press(pilot, "enter")
        await until_shown(pilot, "rejected: buy 10 @ 52 post-only")


async def test_a_quantity_of_zero_is_not_sent() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        before = venue.exchange.seq
        await press(pilot, "b 0 enter")
        await until_shown(pilot, "not sent: qty must be > 0", "BUY")
        assert venue.exchange.seq == before


async def test_a_halted_market_says_so() -> None:
    venue = market()
    venue.commit([HaltMarket("RAIN", 0)])
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "HALTED", "● live")
        await press(pilot, "b")
        await until_shown(pilot, "the market is halted")
        await press(pilot, "enter")
        await until_shown(pilot, "rejected: buy 10 @ 48: the market is halted")


async def test_cancel_at_the_cursor() -> None:
    venue = market()
    mine = venue.order(Side.BUY, 10, 47, TRADER)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "◆10", "● live")
        await press(pilot, "x")
        await until_shown(pilot, "you have no open order at 48")
        await press(pilot, "down x")
        await until_shown(pilot, f"#{mine} cancelled: buy 10 @ 47", "no open orders")
        assert venue.exchange.book("RAIN").order(mine) is None


async def test_cancel_the_selected_order() -> None:
    venue = market()
    first = venue.order(Side.BUY, 10, 47, TRADER)
    second = venue.order(Side.SELL, 5, 53, TRADER)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "2 open orders", "● live")
        await press(pilot, "tab")
        await until_shown(pilot, "▸ orders")
        await press(pilot, "down x")
        await until_shown(pilot, f"#{second} cancelled")
        assert venue.exchange.book("RAIN").order(first) is not None
        assert venue.exchange.book("RAIN").order(second) is None


async def test_cancel_all_in_this_market() -> None:
    venue = market()
    for price in (45, 46, 47):
        venue.order(Side.BUY, 10, price, TRADER)
    elsewhere = venue.order(Side.BUY, 10, 47, TRADER, "SNOW")
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "4 open orders", "● live")
        await press(pilot, "X")
        await until_shown(pilot, "1 open order")
        assert list(venue.exchange.orders_of(TRADER, "RAIN")) == []
        assert venue.exchange.book("SNOW").order(elsewhere) is not None


async def test_an_order_that_waits_in_the_queue_is_shown_as_a_question() -> None:
    venue = market()
    venue.held = True
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "b enter")
        await until_shown(pilot, "? buy 10 @ 48: queued", "?10", "? queued")
        venue.held = False
        venue.release()
        await until_shown(pilot, "#3 buy 10 @ 48 rests", "◆10")
        assert "?10" not in screen_text(app)


async def test_a_cancel_before_the_journal_has_told_of_the_order_says_why_it_waits() -> None:
    venue = market()
    venue.held = True
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "b enter")
        await until_shown(pilot, "? queued")
        await press(pilot, "x")
        await until(pilot, lambda: "no id yet" in app.desk.model.notices[-1].words)
        await press(pilot, "X")
        venue.held = False
        venue.release()
        await until_shown(pilot, "#3 cancelled: buy 10 @ 48", "no open orders")


async def test_more_cancels_than_one_batch_holds_are_all_sent() -> None:
    class Strict(LocalVenue):
        """Takes as many commands at once as a client does."""

        async def submit(self, commands):  # type: ignore[no-untyped-def]  # as the base
            if len(commands) > MAX_BATCH:
                raise ValueError("too many")
            return await super().submit(commands)

    venue = Strict()
    orders = [
        NewOrder(order_id=number, market="RAIN", side=Side.BUY, price=48, qty=1, trader=TRADER)
        for number in range(1, MAX_BATCH + 2)
    ]
    venue.commit(orders)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "1,001 open orders", "● live")
        await press(pilot, "x")
        await until_shown(pilot, "no open orders")
        assert len(app.desk.model.intents) == 0


async def test_without_a_name_one_only_watches() -> None:
    venue = market()
    app = app_on(venue, trader="")
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "bid 48", "● live", "watching")
        before = venue.exchange.seq
        await press(pilot, "b enter x X")
        await until_shown(pilot, "only watching: start with a trader's name to trade")
        assert venue.exchange.seq == before


async def test_the_ladder_stands_still_while_armed() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "b")
        await until_shown(pilot, "BUY")
        for price in range(60, 75):
            venue.order(Side.BUY, 10, price)
        await until_shown(pilot, "bid 74")
        assert app.desk.price == 48
        await press(pilot, "escape")
        await pilot.pause(0.2)
        assert app.desk.price == 48
        assert app.desk.gaze is not None
        assert not app.desk.gaze.window.shows(74)
        await press(pilot, "a")
        await until(pilot, lambda: app.desk.gaze and app.desk.gaze.window.shows(74))


async def test_nothing_leaves_while_trading_is_locked() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "bid 48", "● live", "locked")
        before = venue.exchange.seq
        for keys in ("b", "u", "d", "f", "r", "v", "n"):
            await press(pilot, keys)
            await until_shown(pilot, "trading is locked: a arms it")
            await press(pilot, "enter")
            await until_shown(pilot, "nothing is prepared")
        await press(pilot, "a b")
        await until_shown(pilot, "BUY")
        await press(pilot, "a enter")
        await until_shown(pilot, "locked", "nothing is prepared")
        assert venue.exchange.seq == before


async def test_cancels_need_no_arming() -> None:
    venue = market()
    mine = venue.order(Side.BUY, 10, 48, TRADER)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "bid 48", "● live", "◆10")
        await press(pilot, "x")
        await until_shown(pilot, f"#{mine} cancelled")


async def test_join_and_improve_the_best_bid() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "b up up n")
        await until_shown(pilot, "BUY  10 @ 48", "rests behind 40 contracts")
        await press(pilot, "i enter")
        await until_shown(pilot, "buy 10 @ 49 rests")
        await press(pilot, "s i")
        await until_shown(pilot, "SELL  10 @ 51")
        assert venue.exchange.book("RAIN").best_bid == 49


async def test_a_spread_of_one_tick_can_not_be_improved() -> None:
    venue = LocalVenue()
    venue.order(Side.BUY, 40, 51)
    venue.order(Side.SELL, 30, 52)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 51", "● live")
        await press(pilot, "b i")
        await until_shown(pilot, "there is no better price than 51")


async def test_lift_the_ask_and_hit_the_bid() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "u")
        await until_shown(pilot, "BUY  10 @ 52 IOC", "takes 10 @ 52")
        await press(pilot, "enter")
        await until_shown(pilot, "#3 bought 10 @ 52", "10 @ 52 limit")
        await press(pilot, "d 4 enter")
        await until_shown(pilot, "#4 sold 4 @ 48")
        assert venue.exchange.position(TRADER, "RAIN").qty == 6


async def test_flatten_and_reverse() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "f")
        await until_shown(pilot, "you hold nothing in RAIN")
        await press(pilot, "u enter")
        await until_shown(pilot, "bought 10 @ 52")
        await press(pilot, "r")
        await until_shown(pilot, "SELL  20 at market", "takes 20 @ 48")
        await press(pilot, "enter")
        await until_shown(pilot, "sold 20 @ 48")
        assert venue.exchange.position(TRADER, "RAIN").qty == -10
        await press(pilot, "f")
        await until_shown(pilot, "BUY  10 at market")
        await press(pilot, "enter")
        await until_shown(pilot, "bought 10 @ 52", "10 @ ")
        assert venue.exchange.position(TRADER, "RAIN").qty == 0


async def test_move_an_order_by_keys() -> None:
    venue = market()
    mine = venue.order(Side.BUY, 10, 47, TRADER)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "◆10", "● live")
        await press(pilot, "v")
        await until_shown(pilot, "you have no open order at 48")
        await press(pilot, "down v")
        await until_shown(pilot, f"replaces #{mine}", "the arrows choose its new price")
        await press(pilot, "up up")
        await until_shown(pilot, "loses its place, rests as the new best price")
        await press(pilot, "enter")
        await until_shown(pilot, f"#{mine} is now 10 @ 49, at the back of the queue", "bid 49")
        await press(pilot, "v 4")
        await until_shown(pilot, "keeps its place in the queue")
        await press(pilot, "enter")
        await until_shown(pilot, f"#{mine} is now 4 @ 49")
        order = venue.exchange.book("RAIN").order(mine)
        assert order is not None
        assert (order.price, order.qty, order.leaves_qty) == (49, 4, 4)


async def test_an_order_that_was_filled_meanwhile_can_not_be_moved() -> None:
    venue = market()
    mine = venue.order(Side.BUY, 10, 49, TRADER)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 49", "● live", "◆10")
        await press(pilot, "left v up")
        await until_shown(pilot, f"replaces #{mine}")
        venue.order(Side.SELL, 10, 49)
        await until_shown(pilot, "bid 48")
        await press(pilot, "enter")
        await until_shown(pilot, f"order #{mine} is no longer open")


async def test_cancel_the_bids_and_the_asks() -> None:
    venue = market()
    venue.order(Side.BUY, 10, 46, TRADER)
    venue.order(Side.BUY, 10, 47, TRADER)
    ask = venue.order(Side.SELL, 10, 53, TRADER)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "3 open orders", "● live")
        await press(pilot, "left_square_bracket")
        await until_shown(pilot, "1 open order")
        assert [order.id for order in venue.exchange.orders_of(TRADER)] == [ask]
        await press(pilot, "right_square_bracket")
        await until_shown(pilot, "no open orders")
        await press(pilot, "right_square_bracket")
        await until_shown(pilot, "you have no open ask in RAIN")


async def test_every_action_shows_its_command_line() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(160, 40)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "down b enter")
        await until_shown(pilot, "matchbox buy 10 47 --market RAIN --trader")
        await until_shown(pilot, "buy 10 @ 47 rests")
        await press(pilot, "v up enter")
        await until_shown(pilot, "matchbox replace 3 --price 48")
        await press(pilot, "x")
        await until_shown(pilot, "matchbox cancel 3")


async def test_halt_and_resume_the_market() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(120, 30)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "H")
        await until_shown(pilot, "HALT RAIN")
        await press(pilot, "escape enter")
        await until_shown(pilot, "nothing is prepared")
        assert venue.exchange.book("RAIN").market.status is MarketStatus.OPEN
        await press(pilot, "H enter")
        await until_shown(pilot, "HALTED", "matchbox halt RAIN", "RAIN is halted")
        assert venue.exchange.book("RAIN").market.status is MarketStatus.HALTED
        await until(pilot, lambda: not len(app.desk.model.intents))
        await press(pilot, "H")
        await until_shown(pilot, "RESUME RAIN")
        await press(pilot, "enter")
        await until_shown(pilot, "matchbox resume RAIN", "RAIN is open again")
        assert venue.exchange.book("RAIN").market.status is MarketStatus.OPEN


async def test_only_play_may_do_harm() -> None:
    app = app_on(market())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "K")
        await until_shown(pilot, "only 'matchbox play' may do that")
