namespace Millrace.Hosting.Roles;

/// <summary>A service as started.</summary>
public enum MillraceRole
{
    Gateway,
    Registry,
    StreamProcessor,
    Archiver,
    ColdPath,
    Api,
}
