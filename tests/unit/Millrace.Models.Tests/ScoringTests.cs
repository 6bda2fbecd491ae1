using Millrace.Models.Registry;
using Millrace.Models.Scoring;
using Millrace.Models.Training;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.Models.Tests;

/// <summary>Models that were trained, and models from elsewhere.</summary>
public sealed class ScoringTests
{
    private ModelStore _store = null!;

    [SetUp]
    public void Open() => _store = new ModelStore();

    [TearDown]
    public void Close() => _store.Dispose();

    [Test]
    public async Task An_onnx_model_scores_beside_those_of_the_platform()
    {
        var made = await _store.Registry.AddAsync(
            ModelStore.Draft("sum", "a", "b"), TinyOnnx.WeightedSum(2, -1), default);
        var scorer = await _store.Get<ModelScorers>().OpenAsync("sum", made.Version, default);

        Assert.That((scorer.Version, scorer.Score([3, 4]), scorer.Score([0.5f, 0])), Is.EqualTo((1, 2.0, 1.0)));
    }

    [Test]
    public async Task An_onnx_model_allocates_nothing_for_a_row()
    {
        var made = await _store.Registry.AddAsync(
            ModelStore.Draft("sum", "a", "b"), TinyOnnx.WeightedSum(2, -1), default);
        var scorer = await _store.Get<ModelScorers>().OpenAsync("sum", made.Version, default);
        for (var i = 0; i < 100; i++) scorer.Score([i, 1]);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var sum = 0.0;
        for (var i = 0; i < 1_000; i++) sum += scorer.Score([i, 1]);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(sum, Is.EqualTo(998_000), "2 i - 1 for each");
    }

    [Test]
    public void An_onnx_model_that_does_not_fit_is_refused_before_it_is_kept()
    {
        var wrong = Assert.Throws<MillraceException>(() =>
            ModelScorers.Check(ModelStore.Draft("sum", "a", "b", "c"), TinyOnnx.WeightedSum(1, 1)));
        Assert.That((wrong!.Error.Code, wrong.Error.Detail),
            Is.EqualTo(("MO-0007", "Its input x is Single [-1, 2]; there are 3 features.")));
        var damaged = Assert.Throws<MillraceException>(() =>
            ModelScorers.Check(ModelStore.Draft("sum", "a", "b"), [1, 2, 3]));
        Assert.That(damaged!.Error.Code, Is.EqualTo("MO-0007"));
    }

    [Test]
    public async Task Remaining_life_is_learned_and_told_by_what_is_read_back()
    {
        var data = Wearing(devices: 40, rows: 100);
        var trained = ModelTrainer.Train(data, new TrainingPlan(ModelKind.RemainingLife, 0.25, 1));

        Assert.That(trained.Metrics["mean_absolute_error"], Is.LessThan(5), "of 0 to 99");
        Assert.That(trained.Metrics["r_squared"], Is.GreaterThan(0.9));
        Assert.That(trained.Metrics["rows_learned"] + trained.Metrics["rows_held_out"], Is.EqualTo(4_000));
        Assert.That(trained.Metrics["rows_held_out"] % 100, Is.Zero, "a device is held out as a whole");
        var scorer = await OpenAsync("life", ModelKind.RemainingLife, trained);
        Assert.That(scorer.Score([20, 0.5f]), Is.EqualTo(80).Within(8));
        Assert.That(scorer.Score([95, 0.5f]), Is.EqualTo(5).Within(8));
    }

    [Test]
    public async Task What_is_unusual_scores_higher_than_what_is_not()
    {
        var random = new Random(3);
        var values = Enumerable.Range(0, 2_000).Select(_ => 0.2f + (0.8f * (float)random.NextDouble())).ToArray();
        var noise = values.Select(_ => (float)random.NextDouble() * 0.02f).ToArray();
        var data = new TrainingData(["a", "b"], [values, [.. values.Zip(noise, (v, n) => (2 * v) + n)]], [],
            [.. values.Select((_, i) => $"d{i % 20}")]);
        var trained = ModelTrainer.Train(data, new TrainingPlan(ModelKind.Anomaly, 0.25, 1));
        var scorer = await OpenAsync("odd", ModelKind.Anomaly, trained);

        Assert.That(scorer.Score([0.5f, 1.0f]), Is.LessThan(trained.Metrics["score_p99"]));
        Assert.That(scorer.Score([0.5f, 0.2f]), Is.GreaterThan(trained.Metrics["score_p99"] * 2));
    }

    [Test]
    public void The_same_rows_and_seed_give_the_same_model()
    {
        var plan = new TrainingPlan(ModelKind.RemainingLife, 0.25, 7);
        var (one, again) = (ModelTrainer.Train(Wearing(10, 50), plan), ModelTrainer.Train(Wearing(10, 50), plan));

        Assert.That(again.Metrics, Is.EqualTo(one.Metrics));
    }

    [Test]
    public void Too_little_to_learn_from_is_told()
    {
        var wrong = Assert.Throws<MillraceException>(() =>
            ModelTrainer.Train(Wearing(2, 10), new TrainingPlan(ModelKind.RemainingLife, 0.25, 1)));
        Assert.That(wrong!.Error.Code, Is.EqualTo("MO-0008"));
    }

    [Test]
    public async Task A_version_as_a_file_scores_the_same()
    {
        using var folder = new TemporaryFolder();
        var content = TinyOnnx.WeightedSum(2, -1);
        var made = await _store.Registry.AddAsync(ModelStore.Draft("sum", "a", "b"), content, default);
        await File.WriteAllBytesAsync(folder.Sub("sum.model"), ModelFile.Write(made, content));

        var (model, scorer) = ModelFile.Read(folder.Sub("sum.model"));
        Assert.That((model.Call, scorer.Score([3, 4])), Is.EqualTo(("ML_SCORE('sum', a, b)", 2.0)));
        await File.WriteAllTextAsync(folder.Sub("none"), "x");
        Assert.That(Assert.Throws<MillraceException>(() => ModelFile.Read(folder.Sub("none")))!.Error.Code,
            Is.EqualTo("MO-0006"));
    }

    [Test]
    public void Data_like_the_training_data_have_not_drifted_and_shifted_data_have()
    {
        var random = new Random(1);
        float[] Values(double shift) => [.. Enumerable.Range(0, 5_000).Select(_ =>
            (float)(random.NextDouble() + random.NextDouble() + shift))];
        var trained = FeatureDistribution.Of(Values(0));

        Assert.That(trained.Shares.Sum(), Is.EqualTo(1).Within(1e-9));
        Assert.That(Drift(trained, Values(0)).StabilityIndex, Is.LessThan(0.02));
        Assert.That(Drift(trained, Values(0.5)).StabilityIndex, Is.GreaterThan(0.25));
        Assert.That(Drift(FeatureDistribution.Of(new float[100]), new float[10]).StabilityIndex,
            Is.Zero.Within(1e-9));
    }

    [Test]
    public void Drift_is_the_same_in_whatever_parts_the_values_come_and_counts_numbers_alone()
    {
        var trained = FeatureDistribution.Of([1, 2, 3, 4]);
        var parts = Drift(trained, [1, float.NaN], [2, 9]);
        var whole = Drift(trained, [1, 2, 9]);
        Assert.That((parts.Count, parts.Mean, parts.StabilityIndex), Is.EqualTo((3, 4.0, whole.StabilityIndex)));

        var none = Drift(trained, [float.NaN]);
        Assert.That((none.Count, none.Mean, none.StabilityIndex), Is.EqualTo((0L, (double?)null, (double?)null)));
        Assert.That(Drift(null, [1]).StabilityIndex, Is.Null, "nobody knows what it learned from");
    }

    private static DriftMeter Drift(FeatureDistribution? training, params float[][] parts)
    {
        var meter = new DriftMeter(training);
        foreach (var part in parts) meter.Add(part);
        return meter;
    }

    private async Task<Saql.Models.IModelScorer> OpenAsync(string name, ModelKind kind, TrainedModel trained)
    {
        var made = await _store.Registry.AddAsync(new ModelDraft(
            name, kind, ModelFormat.MlNet, trained.Features, trained.Metrics, "me", "test"), trained.Content, default);
        return await _store.Get<ModelScorers>().OpenAsync(name, made.Version, default);
    }

    /// <summary>Devices whose wear counts up to 100, where they end.</summary>
    private static TrainingData Wearing(int devices, int rows)
    {
        var random = new Random(5);
        var all = Enumerable.Range(0, devices * rows).ToArray();
        return new TrainingData(["wear", "noise"],
            [[.. all.Select(i => (float)(i % rows))], [.. all.Select(_ => (float)random.NextDouble())]],
            [.. all.Select(i => (float)(rows - (i % rows)))], [.. all.Select(i => $"d{i / rows}")]);
    }
}
