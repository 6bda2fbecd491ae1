namespace Millrace.TestKit.Servers;

/// <summary>Starts servers with what this machine has: the engines command, else Docker.</summary>
public static class ServerSets
{
    internal const string HeapDefault = "512m";

    /// <summary>Null when there is neither.</summary>
    /// <param name="engine">kafka, cassandra, spark or s3.</param>
    /// <param name="java">Options of the virtual machines of Cassandra's nodes.</param>
    public static async Task<IServerSet?> StartAsync(
        string engine, int nodes = 1, string heap = HeapDefault, string? java = null)
    {
        (string, string)[] more = java is null ? [] : [("JAVA_TOOL_OPTIONS", java)];
        return await EngineSet.StartAsync(engine, nodes, heap, isFavored: true, more: more) as IServerSet
            ?? await DockerSet.StartAsync(engine, nodes, heap, java);
    }

    /// <summary>Why a test is skipped, and what to do about it.</summary>
    /// <param name="variable">What names a running server, where a test takes one.</param>
    public static string Missing(string what, string? variable = null) =>
        $"No {what}: set {(variable is null ? "" : variable + ", or ")}MILLRACE_ENGINES to a command that starts it, "
        + "or install Docker.";
}
