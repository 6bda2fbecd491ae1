namespace Millrace.EventLog.Kafka.Producing;

/// <summary>The owner of an append that somebody awaits.</summary>
internal sealed class AwaitedAppend() :
    TaskCompletionSource<OffsetRange>(TaskCreationOptions.RunContinuationsAsynchronously), IAppendOwner
{
    public void OnAppended(OffsetRange offsets) => SetResult(offsets);

    public void OnAppendFailed(Exception failure)
    {
        if (failure is OperationCanceledException cancelled) SetCanceled(cancelled.CancellationToken);
        else SetException(failure);
    }
}
