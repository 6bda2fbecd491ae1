using Millrace.ColdPath.Catalog;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.ColdPath.Tests;

/// <summary>Jobs that are classes of an assembly in their folder.</summary>
public sealed class ClassJobTests
{
    private const string Own = "own.dll::Millrace.ColdPath.Tests.";

    private TemporaryFolder _jobs = null!;

    [SetUp]
    public void Make() => _jobs = new TemporaryFolder();

    [TearDown]
    public void Remove() => _jobs.Dispose();

    [Test]
    public async Task A_class_of_the_folder_makes_the_rows_of_a_run_by_its_parameters()
    {
        Write(Own + nameof(BusiestDevices));
        await using var host = await ColdPathHost.StartAsync(new() { ["ColdPath:JobsFolder"] = _jobs.Path });
        await using var table = await Readings.OpenAsync(host);
        await table.ArchiveAsync("2026-11-22", 10, "d-1", [1, 2, 3]);
        await table.ArchiveAsync("2026-11-22", 10, "d-2", [1]);
        await table.ArchiveAsync("2026-11-22", 11, "d-3", [1, 2]);
        await table.ArchiveAsync("2026-11-23", 0, "d-2", [1, 2, 3, 4]);

        Assert.That(await RunAsync(host, "2"), Is.EqualTo(
            (200, "{\"device_id\":\"d-1\",\"messages\":3}\n{\"device_id\":\"d-3\",\"messages\":2}\n")));
        var (status, body) = await RunAsync(host, "5000000000");
        Assert.That(status, Is.EqualTo(500));
        Assert.That(body, Does.Contain("CP-0018").And.Contain("busiest").And.Contain("OverflowException"));
    }

    [TestCase("Nothing", "There is no class Nothing; the program has DataQuality,")]
    [TestCase("gone.dll::A.B", "gone.dll cannot be loaded")]
    [TestCase("job.json::A.B", "job.json cannot be loaded")]
    [TestCase(Own + "None", "has no type Millrace.ColdPath.Tests.None")]
    [TestCase(Own + "ClassJobTests", "is no class that implements IFrameJob")]
    [TestCase(Own + "NeedsMore", "has no public constructor without parameters")]
    [TestCase(Own + "Broken", "cannot be made: out of order")]
    [TestCase(Own + "A::B", "There is no class")]
    public void A_class_that_there_is_not_is_told(string type, string why)
    {
        Write(type);
        var wrong = Assert.Throws<MillraceException>(() => JobFolder.ReadAll(_jobs.Path));
        Assert.That(wrong!.Error.Code, Is.EqualTo("CP-0007"));
        Assert.That(wrong.Error.Detail, Does.Contain(why));
    }

    private static Task<(int Status, string Body)> RunAsync(ColdPathHost host, string top) => host.PostAsync(
        "/api/v1/cold/jobs/busiest/run?format=jsonl",
        new { parameters = new { from = "2026-11-22T00:00:00Z", to = "2026-11-23T00:00:00Z", top } });

    private void Write(string type)
    {
        var folder = Directory.CreateDirectory(_jobs.Sub("busiest")).FullName;
        File.Copy(typeof(BusiestDevices).Assembly.Location, Path.Combine(folder, "own.dll"));
        File.WriteAllText(Path.Combine(folder, "job.json"), $$"""
            {"description":"x","class":"{{type}}","part":"day","parameters":[
              {"name":"from","type":"timestamp","description":"y"},{"name":"to","type":"timestamp","description":"z"},
              {"name":"top","type":"long","description":"t"}]}
            """);
    }
}
