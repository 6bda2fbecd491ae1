using Microsoft.ML;
using Millrace.Models.Registry;
using Millrace.Saql.Models;

namespace Millrace.Models.Scoring;

/// <summary>A model that a job trained.</summary>
internal sealed class MlNetModel : ILoadedModel
{
    private readonly MLContext _ml = new();
    private readonly ModelManifest _manifest;
    private readonly ITransformer _transformer;

    public MlNetModel(ModelManifest manifest, byte[] content)
    {
        _manifest = manifest;
        _transformer = _ml.Model.Load(new MemoryStream(content), out _);
        // What does not fit is found here, and not at the first row.
        _ = CreateScorer();
    }

    public IModelScorer CreateScorer() => new Scorer(_manifest, _ml.Model.CreatePredictionEngine<FeatureRow, ScoreRow>(
        _transformer, inputSchemaDefinition: FeatureRow.Schema(_manifest.Features.Count)));

    private sealed class Scorer(ModelManifest manifest, PredictionEngine<FeatureRow, ScoreRow> engine) : IModelScorer
    {
        private readonly FeatureRow _row = new() { Features = new float[manifest.Features.Count] };
        private ScoreRow _score = new();

        public int Version => manifest.Version;

        public double Score(ReadOnlySpan<float> features)
        {
            features.CopyTo(_row.Features);
            engine.Predict(_row, ref _score);
            return _score.Score;
        }
    }
}
