namespace Millrace.TestKit;

/// <summary>Files of docs/examples.</summary>
public static class Examples
{
    public static string PathOf(string name)
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Platform.sln"))) folder = Path.GetDirectoryName(folder)!;
        return Path.Combine(folder, "docs", "examples", name);
    }
}
