using Millrace.EventLog;
using Millrace.EventLog.Local;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>The local log, on this machine's disk.</summary>
public sealed class LocalLogContractTests : EventLogContract
{
    private TemporaryFolder _folder = null!;

    protected override ValueTask<IEventLog> OpenAsync()
    {
        _folder = new TemporaryFolder();
        return new ValueTask<IEventLog>(LocalLog.Open(_folder.Path));
    }

    protected override void Clean() => _folder.Dispose();
}
