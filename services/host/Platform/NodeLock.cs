using Millrace.Hosting;

namespace Millrace.Platform;

/// <summary>Sees to it that no two processes of a data folder have one name. A crash lets go of it.</summary>
internal static class NodeLock
{
    /// <summary>Held until it is disposed; HO-0003 when another process has it.</summary>
    public static IDisposable Take(DataFolder data, string node)
    {
        Directory.CreateDirectory(data.Nodes);
        var path = Path.Combine(data.Nodes, node + ".lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw HostingErrors.NodeTaken.With(node, e.Message).AsException(e);
        }
    }
}
