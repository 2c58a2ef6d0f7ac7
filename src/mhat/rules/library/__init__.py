"""The files of the rules, a folder a family. It knows no rule."""
