"""Data sets of virtual sensors at scale: sources, stages that go on where they were, one manifest, exports, a card."""
