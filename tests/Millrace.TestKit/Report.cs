using System.Runtime.InteropServices;

namespace Millrace.TestKit;

/// <summary>
/// What is measured: on the console as it goes, and in benchmarks/results/PROCESSOR/NAME.md at its end, with what the
/// figures depend on.
/// </summary>
public sealed class Report : IDisposable
{
    private readonly string _path;
    private readonly StringWriter _text = new();

    public Report(string name, string title)
    {
        _path = Path.Combine(RepositoryFolder(), "benchmarks", "results", FolderOf(Processor()), name + ".md");
        Line($"# {title}");
        Line();
        Line(MachineHeader());
        Line();
    }

    public void Line(string text = "")
    {
        Console.WriteLine(text);
        _text.Write(text + "\n");
    }

    public void Dispose()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        File.WriteAllText(_path, _text.ToString().TrimEnd('\n') + "\n");
    }

    /// <summary>What the figures depend on, and nothing that tells whose machine it was.</summary>
    private static string MachineHeader()
    {
        var memoryGiB = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30);
        return $"{Environment.ProcessorCount} cores of {Processor()}, {memoryGiB:f0} GiB memory, "
            + $"{Environment.OSVersion.VersionString}, {RuntimeInformation.FrameworkDescription}"
            + (HasJemalloc() ? ", jemalloc as in the image" : "");
    }

    private static bool HasJemalloc()
    {
        const string maps = "/proc/self/maps";
        return File.Exists(maps) && File.ReadLines(maps).Any(
            line => line.Contains("libjemalloc", StringComparison.Ordinal));
    }

    private static string Processor() =>
        ValueOf("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString();

    /// <summary>"Intel(R) Xeon(R) Processor @ 2.80GHz" as a folder: intel-xeon-2.80ghz.</summary>
    private static string FolderOf(string processor) => string.Join('-', processor
        .Replace("(R)", "", StringComparison.Ordinal)
        .Split([' ', '@', '/'], StringSplitOptions.RemoveEmptyEntries)
        .Where(word => word is not ("Processor" or "CPU"))).ToLowerInvariant();

    private static string? ValueOf(string file, string key)
    {
        if (!File.Exists(file)) return null;
        var line = File.ReadLines(file).FirstOrDefault(one => one.StartsWith(key, StringComparison.Ordinal));
        return line?.Split(':', 2)[1].Trim();
    }

    public static string RepositoryFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Platform.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? Environment.CurrentDirectory;
    }
}
