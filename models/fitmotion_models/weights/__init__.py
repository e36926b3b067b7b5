"""What ships: tables and networks made by recipes of this project, each with a card."""
