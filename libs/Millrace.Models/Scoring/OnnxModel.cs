using System.Numerics;
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
    private readonly Type _result;
    private readonly long[] _resultShape;

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
        (_result, _resultShape) = Try(count);
    }

    public IModelScorer CreateScorer() => _result == typeof(float) ? new Scorer<float>(this)
        : _result == typeof(double) ? new Scorer<double>(this)
        : new Scorer<long>(this);

    /// <summary>What one row of features gives: the type of the number, and the shape that it comes in.</summary>
    private (Type Result, long[] Shape) Try(int features)
    {
        var tensor = new DenseTensor<float>(new float[features], _shape);
        using var results = _session.Run([NamedOnnxValue.CreateFromTensor(_input, tensor)], [_output]);
        return results[0].Value switch
        {
            DenseTensor<float> { Length: 1 } one => (typeof(float), ShapeOf(one)),
            DenseTensor<double> { Length: 1 } one => (typeof(double), ShapeOf(one)),
            DenseTensor<long> { Length: 1 } one => (typeof(long), ShapeOf(one)),
            var other => throw Unfit($"Its output {_output} is no single number, but {other.GetType().Name}."),
        };
    }

    private static long[] ShapeOf<T>(DenseTensor<T> tensor) => [.. tensor.Dimensions.ToArray().Select(d => (long)d)];

    private static string Names(IEnumerable<string> names) => string.Join(", ", names);

    private Exception Unfit(string why) =>
        ModelErrors.ShapeUnfit.With($"{_manifest.Name} {_manifest.Version}", why).AsException();

    /// <summary>Features and score lie where the library reads and writes them, so that a row allocates
    /// nothing.</summary>
    private sealed class Scorer<T> : IModelScorer where T : unmanaged, INumber<T>
    {
        private readonly OnnxModel _model;
        private readonly float[] _features;
        private readonly T[] _score = new T[1];
        private readonly RunOptions _options = new();
        private readonly OrtIoBinding _binding;

        // They keep the arrays in their place.
        private readonly OrtValue _input;
        private readonly OrtValue _output;

        public Scorer(OnnxModel model)
        {
            _model = model;
            _features = new float[model._manifest.Features.Count];
            _input = OrtValue.CreateTensorValueFromMemory(_features, [.. model._shape.Select(d => (long)d)]);
            _output = OrtValue.CreateTensorValueFromMemory(_score, model._resultShape);
            _binding = model._session.CreateIoBinding();
            _binding.BindInput(model._input, _input);
            _binding.BindOutput(model._output, _output);
        }

        public int Version => _model._manifest.Version;

        public double Score(ReadOnlySpan<float> features)
        {
            features.CopyTo(_features);
            _model._session.RunWithBinding(_options, _binding);
            return double.CreateChecked(_score[0]);
        }
    }
}
