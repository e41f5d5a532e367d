"""The workspace of a client mission: its citizens, its definition of done, its test runs."""


def workspace_urls(model_admin) -> list:
    """The addresses of the workspace, all below `<id>/workspace/`; names begin with `missiondeck_workspace`."""
    return []
