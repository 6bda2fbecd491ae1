using Millrace.Models.Registry;
using Millrace.Saql.Models;

namespace Millrace.Models.Scoring;

/// <summary>A version in memory. Many callers have scorers of it, each its own.</summary>
internal interface ILoadedModel
{
    IModelScorer CreateScorer();
}

/// <summary>Content of the registry to a model that scores; MO-0006 or MO-0007 when it cannot.</summary>
internal static class LoadedModel
{
    public static ILoadedModel Of(ModelManifest manifest, byte[] content)
    {
        try
        {
            return manifest.Format == ModelFormat.Onnx
                ? new OnnxModel(manifest, content)
                : new MlNetModel(manifest, content);
        }
        catch (Exception wrong) when (wrong is not Primitives.MillraceException)
        {
            throw ModelErrors.ContentDamaged.With($"{manifest.Name} {manifest.Version}", wrong.Message)
                .AsException(wrong);
        }
    }
}
