using Millrace.TestKit;

namespace Millrace.E2E.Tests.Machines;

/// <summary>
/// The version from which an upgrade starts: its chart, and its image under a tag of its own, both made of the tree as
/// it was then.
/// </summary>
internal sealed class PreviousVersion : IDisposable
{
    /// <summary>The last release; until there is one, a version that knows how upgrades are finalised.</summary>
    public const string Commit = "2fd77de70d3dfa341fabb8fe64310bc713546011";

    public const string Tag = "0.0.9";

    public static readonly string Image = Images.Platform.Replace(":0.1.0", ":" + Tag);

    private readonly TemporaryFolder _tree = new();

    private PreviousVersion()
    {
    }

    public string Chart => _tree.Sub("charts/millrace");

    /// <summary>Needs the history of the tree.</summary>
    public static async Task<PreviousVersion> CheckOutAsync()
    {
        var version = new PreviousVersion();
        var shell = new Shell(Shell.Root);
        await shell.RunAsync("git", "archive", "--output", version._tree.Sub("tree.tar"), Commit);
        await shell.RunAsync("tar", "-x", "-C", version._tree.Path, "-f", version._tree.Sub("tree.tar"));
        return version;
    }

    public async Task BuildImageAsync() => TestContext.Progress.WriteLine(
        await new Shell(_tree.Path).RunAsync(_tree.Sub("scripts/images"), Tag));

    public void Dispose() => _tree.Dispose();
}
