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
    private readonly Wake _wake = new();

    /// <summary>Calls for a look at once.</summary>
    public void LookAgain() => _wake.Set();

    /// <summary>
    /// Returns when the token is cancelled; a look that fails is logged and repeated with growing delays.
    /// </summary>
    public async Task RunAsync(Func<CancellationToken, Task> look, CancellationToken stop)
    {
        var delay = options.Value.RestartDelayMin;
        control.Noticed += Notice;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await look(stop);
                delay = options.Value.RestartDelayMin;
                await _wake.WaitAsync(options.Value.ReconcileInterval, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                logger.ReconcileFailed(e);
                await Task.Delay(delay, time, stop).ContinueWith(_ => { }, TaskScheduler.Default);
                delay = delay * 2 < options.Value.RestartDelayMax ? delay * 2 : options.Value.RestartDelayMax;
            }
        }

        control.Noticed -= Notice;

        void Notice(ControlNotice notice)
        {
            if (notice.Kind == ControlKinds.Query) _wake.Set();
        }
    }
}
