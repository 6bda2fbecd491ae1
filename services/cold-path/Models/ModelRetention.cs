using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Models.Registry;

namespace Millrace.ColdPath.Models;

/// <summary>Lets old versions of a model go when a further one was made.</summary>
internal sealed class ModelRetention(
    ModelRegistry registry, IOptions<ColdPathOptions> options, ModelMetrics metrics, ILogger<ModelRetention> log)
{
    /// <summary>The new version stands, whatever becomes of this; the next one makes up for it.</summary>
    public async Task PruneAsync(string name, CancellationToken ct)
    {
        try
        {
            var pruned = await registry.PruneAsync(name, options.Value.UnpromotedVersionsMax, ct)
                .ConfigureAwait(false);
            if (pruned.Count == 0) return;
            metrics.Pruned(name, pruned.Count);
            log.ModelPruned(name, string.Join(", ", pruned));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.ModelNotPruned(e, name);
        }
    }
}
