"""What the lifecycle nodes have in common: they start by themselves unless told to wait, and say why they cannot."""

from abc import abstractmethod

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from fitmotion_nodes.spin import CannotRunError


class SelfStartingNode(LifecycleNode):
    """A lifecycle node in four steps of its own: `open` what it needs, `begin` work, `halt`, `close`.

    `halt` and `close` are called in every state, also twice. A subclass ends its __init__ with `start`.
    """

    def start(self, *, autostart: bool) -> None:
        """Configure and activate; with autostart false wait for the lifecycle services.

        Raises CannotRunError with the reason when it cannot be configured.
        """
        self._failure, self._starts_itself = "", autostart
        if not autostart:
            return
        if self.trigger_configure() is not TransitionCallbackReturn.SUCCESS:
            raise CannotRunError(f"{self.get_name()}: {self._failure}")
        self.trigger_activate()

    @abstractmethod
    def open(self) -> None:
        """Get what is needed and make the publishers. Raises ValueError or RuntimeError with one sentence."""

    @abstractmethod
    def begin(self) -> None:
        """Start to work."""

    @abstractmethod
    def halt(self) -> None:
        """Stop to work; what is open stays open."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what is open."""

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open."""
        try:
            self.open()
        except (ValueError, RuntimeError) as error:
            self._failure = str(error)
            if not self._starts_itself:  # else the process ends with this line
                self.get_logger().error(self._failure)
            return TransitionCallbackReturn.FAILURE
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin."""
        result = super().on_activate(state)
        self.begin()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Halt."""
        self.halt()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close."""
        result = super().on_cleanup(state)
        self.close()
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Halt and close."""
        self.halt()
        self.close()
        return super().on_shutdown(state)

    def destroy_node(self) -> None:
        """Halt and close before the node goes."""
        self.halt()
        self.close()
        super().destroy_node()
