namespace Millrace.EventLog;

/// <summary>
/// Who waits to hear of an append: called once, whatever comes of it. It must not throw, nor wait for anything: the
/// same thread may have the next append to write.
/// </summary>
public interface IAppendOwner
{
    /// <summary>The records are durable.</summary>
    void OnAppended(OffsetRange offsets);

    void OnAppendFailed(Exception failure);
}
