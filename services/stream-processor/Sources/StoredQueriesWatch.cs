using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;

namespace Millrace.StreamProcessor.Sources;

/// <summary>
/// Calls for a look at the stored queries: at first, on each notice that one changed, and on a timer in case a notice
/// was lost.
/// </summary>
internal sealed class StoredQueriesWatch(
    ControlWatch control, IOptions<StreamProcessorOptions> options, TimeProvider time,
    ILogger<StoredQueriesWatch> logger)
{
    /// <summary>Returns when the token is cancelled; a look that fails is logged and repeated.</summary>
    public async Task RunAsync(Func<CancellationToken, Task> look, CancellationToken stop)
    {
        var wake = new Wake();
        control.Noticed += Notice;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await look(stop);
                await wake.WaitAsync(options.Value.ReconcileInterval, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                logger.ReconcileFailed(e);
                await Task.Delay(options.Value.RestartDelayMin, time, CancellationToken.None);
            }
        }

        control.Noticed -= Notice;

        void Notice(ControlNotice notice)
        {
            if (notice.Kind == ControlKinds.Query) wake.Set();
        }
    }
}
