using Millrace.Models.Registry;
using Millrace.Stores.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>Queries that score with a model of the registry, while versions of it are promoted.</summary>
public class ModelTests
{
    private ProcessorFixture _hub = null!;

    private ModelRegistry Registry => _hub.Get<ModelRegistry>();

    [SetUp]
    public async Task Open() => await (_hub = new ProcessorFixture()).StartAsync();

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [Test]
    public async Task A_promotion_counts_for_what_comes_after_it_and_a_rollback_too()
    {
        await RegisterAsync(weight: 1);
        await RegisterAsync(weight: 10);
        await Registry.PromoteAsync("double", 1, "me", default);
        await ApplyAsync("SELECT v, ML_SCORE('double', v, 0) AS s INTO scores FROM telemetry");
        await AppendAsync(1);
        await HasAsync("""{"v":1,"s":1.0}""");

        await Registry.PromoteAsync("double", 2, "me", default);
        await ScoresAsync(2, """{"v":2,"s":20.0}""");
        Assert.That((await RowsAsync()).Contains("""{"v":1,"s":10.0}"""), Is.False, "what was answered stays");

        await _hub.RestartAsync();
        await AppendAsync(3);
        await HasAsync("""{"v":3,"s":30.0}""");
        await Registry.RollbackAsync("double", "me", default);
        await ScoresAsync(4, """{"v":4,"s":4.0}""");
    }

    private async Task RegisterAsync(float weight) => await Registry.AddAsync(new ModelDraft("double", ModelKind.Score,
        ModelFormat.Onnx, [new ModelFeature("v"), new ModelFeature("none")], new Dictionary<string, double>(),
        "me", "test"), TinyOnnx.WeightedSum(weight, 1), default);

    private async Task ApplyAsync(string text) => await _hub.Get<IQueryStore>().SaveAsync(new QueryConfig
    {
        Name = "scores",
        Version = 1,
        Text = text,
        Options = new QueryOptions { StartFrom = "earliest" },
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    }, 0);

    private Task AppendAsync(int v) => _hub.AppendAsync(
        0, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), "d1", $"{{\"v\":{v}}}");

    private async Task<ICollection<string>> RowsAsync() => (await _hub.RowsAsync("scores")).Values;

    /// <summary>Sends until the row is there: nobody knows the offset at which a promotion begins to count.</summary>
    private Task ScoresAsync(int v, string wanted) => Eventually.TrueAsync(async () =>
    {
        await AppendAsync(v);
        return (await RowsAsync()).Contains(wanted);
    }, wanted);

    private Task HasAsync(string wanted) =>
        Eventually.TrueAsync(async () => (await RowsAsync()).Contains(wanted), wanted);
}
