namespace Millrace.EventLog;

/// <summary>Who waits to hear of an append: called once, whatever comes of it, and must not throw.</summary>
public interface IAppendOwner
{
    /// <summary>The records are durable.</summary>
    void OnAppended(OffsetRange offsets);

    void OnAppendFailed(Exception failure);
}
