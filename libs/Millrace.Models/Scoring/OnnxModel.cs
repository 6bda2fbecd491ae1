using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Millrace.Models.Registry;
using Millrace.Saql.Models;

namespace Millrace.Models.Scoring;

/// <summary>A model from elsewhere: one tensor of floats in, one number out.</summary>
internal sealed class OnnxModel : ILoadedModel
{
    private readonly ModelManifest _manifest;
    private readonly InferenceSession _session;
    private readonly string _input;
    private readonly string _output;
    private readonly int[] _shape;

    public OnnxModel(ModelManifest manifest, byte[] content)
    {
        _manifest = manifest;
        // Queries have threads of their own.
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        _session = new InferenceSession(content, options);
        var count = manifest.Features.Count;
        var (name, input) = _session.InputMetadata.Count == 1
            ? _session.InputMetadata.Single()
            : throw Unfit($"It has {_session.InputMetadata.Count} inputs: {Names(_session.InputMetadata.Keys)}.");
        var takes = input.Dimensions.Length > 0 ? input.Dimensions[^1] : 1;
        if (input.ElementType != typeof(float) || input.Dimensions.Length is 0 or > 2 || (takes > 0 && takes != count))
        {
            throw Unfit($"Its input {name} is {input.ElementType?.Name} " +
                $"[{string.Join(", ", input.Dimensions)}]; there are {count} features.");
        }

        _input = name;
        _shape = input.Dimensions.Length == 1 ? [count] : [1, count];
        _output = manifest.Output ?? _session.OutputNames[0];
        if (!_session.OutputMetadata.ContainsKey(_output))
            throw Unfit($"It has no output {_output}, but {Names(_session.OutputNames)}.");
        // What does not fit is found here, and not at the first row.
        CreateScorer().Score(new float[count]);
    }

    public IModelScorer CreateScorer() => new Scorer(this);

    private double Run(IReadOnlyCollection<NamedOnnxValue> inputs)
    {
        using var results = _session.Run(inputs, [_output]);
        return results[0].Value switch
        {
            DenseTensor<float> { Length: 1 } one => one.GetValue(0),
            DenseTensor<double> { Length: 1 } one => one.GetValue(0),
            DenseTensor<long> { Length: 1 } one => one.GetValue(0),
            var other => throw Unfit($"Its output {_output} is no single number, but {other.GetType().Name}."),
        };
    }

    private static string Names(IEnumerable<string> names) => string.Join(", ", names);

    private Exception Unfit(string why) =>
        ModelErrors.ShapeUnfit.With($"{_manifest.Name} {_manifest.Version}", why).AsException();

    private sealed class Scorer : IModelScorer
    {
        private readonly OnnxModel _model;
        private readonly DenseTensor<float> _tensor;
        private readonly NamedOnnxValue[] _inputs;

        public Scorer(OnnxModel model)
        {
            _model = model;
            _tensor = new DenseTensor<float>(model._shape);
            _inputs = [NamedOnnxValue.CreateFromTensor(model._input, _tensor)];
        }

        public int Version => _model._manifest.Version;

        public double Score(ReadOnlySpan<float> features)
        {
            features.CopyTo(_tensor.Buffer.Span);
            return _model.Run(_inputs);
        }
    }
}
