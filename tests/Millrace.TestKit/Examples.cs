namespace Millrace.TestKit;

/// <summary>Files of docs/examples.</summary>
public static class Examples
{
    public static string PathOf(string name) => SourceTree.PathOf("docs", "examples", name);
}
