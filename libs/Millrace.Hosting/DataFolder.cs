namespace Millrace.Hosting;

/// <summary>Where an embedded platform keeps everything. Each adapter has its own folder below it.</summary>
public sealed record DataFolder(string Path)
{
    public string Log => Sub("log");
    public string Archive => Sub("archive");
    public string Secrets => Sub("secrets");

    /// <summary>A file for each process that has run here, which it has locked while it runs.</summary>
    public string Nodes => Sub("nodes");
    public string WarmDatabase => System.IO.Path.Combine(Path, "warm.db");
    public string PlatformDatabase => System.IO.Path.Combine(Path, "platform.db");

    /// <summary>Says where a running platform listens, so that verbs on this machine find it.</summary>
    public string EndpointFile => System.IO.Path.Combine(Path, "endpoint.json");

    /// <summary>An administrator's token, mode 0600.</summary>
    public string TokenFile => System.IO.Path.Combine(Path, "admin.token");

    private string Sub(string name) => System.IO.Path.Combine(Path, name);
}
