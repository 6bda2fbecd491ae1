using System.Text;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Host;

/// <summary>A platform whose configuration adds a function and a format of bodies to its queries.</summary>
public class QueryExtensionTests() : PlatformTests(isShared: false,
    ("Queries:Extensions:Functions:Twice", Reference(nameof(QueryAdditions.Twice))),
    ("Queries:Extensions:Decoders:application/x-pair", Reference(nameof(QueryAdditions.Pair))))
{
    [Test]
    public async Task A_query_calls_the_function_on_what_the_decoder_reads()
    {
        var file = Folder.Sub("twice.saql");
        await File.WriteAllTextAsync(file, "SELECT UDF.Twice(a) AS a, b INTO twice FROM telemetry");
        var applied = await QueryAsync("apply", file);
        Assert.That(applied.ExitCode, Is.Zero, applied.Error);
        var publish = Platform.Printed.Split('\n').Select(l => l.Trim()).First(l => l.StartsWith("mosquitto_pub"));
        var sent = await Command.ShellAsync(publish.Replace("""'{"temperature": 21.5}'""", "'21;x'")
            .Replace("-q 1", "-V 5 -D publish content-type application/x-pair -q 1"));
        Assert.That(sent.ExitCode, Is.Zero, sent.Error);

        await Eventually.TrueAsync(async () => (await QueryAsync("rows", "twice", "--output", "json")).Output
            .Contains("42"), "the row is there");
        Assert.That((await QueryAsync("explain", "twice")).Output, Does.Contain("-> twice"));
    }

    private static string Reference(string method) =>
        $"{typeof(QueryAdditions).Assembly.Location}::{typeof(QueryAdditions).FullName}.{method}";

    private Task<Command.Result> QueryAsync(params string[] arguments) =>
        Command.MillraceAsync(["query", .. arguments, "--data", Folder.Path]);
}

/// <summary>What the platform under test loads out of this assembly.</summary>
public static class QueryAdditions
{
    public static long Twice(long value) => value * 2;

    public static string Pair(byte[] body)
    {
        var parts = Encoding.UTF8.GetString(body).Split(';');
        return $$"""{"a":{{parts[0]}},"b":"{{parts[1]}}"}""";
    }
}
