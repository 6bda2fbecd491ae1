using Millrace.E2E.Tests.Machines;
using Millrace.TestKit;

namespace Millrace.E2E.Tests.Compose;

/// <summary>docker/compose.yml, brought up as the README says, and taken down with its data.</summary>
internal sealed class ComposeStack : IAsyncDisposable
{
    private readonly Shell _shell = new(Shell.Root);
    private string[] _files;

    private ComposeStack(string[] files) => _files = [.. files.SelectMany(file => new[] { "-f", file })];

    /// <summary>The test is skipped when there is no docker-compose, or no Docker API for it.</summary>
    public static async Task<ComposeStack> CreateAsync(params string[] files)
    {
        var stack = new ComposeStack(files);
        if (Tool.Find("docker-compose") is null) Assert.Ignore("docker-compose is not installed.");
        await stack._shell.EnsureDockerAsync();
        await Images.BuildAsync(stack._shell);
        return stack;
    }

    public async Task UpAsync()
    {
        await ComposeAsync("up", "-d");
        await Eventually.TrueAsync(async () => (await ComposeAsync("logs", "--no-color", "welcome"))
            .Contains("Millrace is running"), "all is healthy, and what to open is printed", TimeSpan.FromMinutes(6));
    }

    /// <summary>The same with one service of another file beside it, which is there when it is healthy.</summary>
    public async Task AddAsync(string file, string service, params string[] changed)
    {
        _files = [.. _files, "-f", file];
        await ComposeAsync(["up", "-d", service, .. changed]);
    }

    public Task<string> ComposeAsync(params string[] arguments) =>
        _shell.RunAsync("docker-compose", [.. _files, .. arguments]);

    /// <summary>The millrace command in the container that has the API.</summary>
    public Task<string> MillraceAsync(params string[] arguments) =>
        ComposeAsync(["exec", "-T", "api", "millrace", .. arguments]);

    public Task<string> ReadAsync(string file) => ComposeAsync("exec", "-T", "api", "cat", file);

    public async ValueTask DisposeAsync()
    {
        if (TestContext.CurrentContext.Result.FailCount > 0)
            TestContext.Out.WriteLine(await ComposeAsync("logs", "--no-color", "--tail", "40"));
        await ComposeAsync("down", "-v", "--timeout", "60");
        await _shell.ReleaseDockerAsync();
    }
}
