using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Tests.Connection;

public class CassandraFailuresTests
{
    [TestCase("Key length of 70000 is longer than maximum of 65535", true)]
    [TestCase("Mutation of 17.0MiB is too large for the maximum size of 16.0MiB", true)]
    [TestCase("Guardrail collection_size violated: too many entries", true)]
    [TestCase("Provided values [LOCAL_QUORUM] are not allowed for write consistency levels", false)]
    [TestCase("Guardrail replica_disk_usage violated: Write request failed because disk usage exceeds", false)]
    public void What_was_prepared_and_is_not_valid_is_refused_for_good(string message, bool refused)
    {
        var invalid = new CqlServerException(ServerErrorCode.Invalid, message, null);

        Assert.That(invalid.Told("ks", BatchStatement.Rent()).Error.Definition,
            Is.EqualTo(refused ? StoreErrors.RowRefused : StoreErrors.Unavailable));
        Assert.That(invalid.Told("ks").Error.Definition, Is.EqualTo(StoreErrors.Unavailable), "not even prepared");
    }

    [TestCase(ServerErrorCode.Overloaded)]
    [TestCase(ServerErrorCode.WriteFailure)]
    [TestCase(ServerErrorCode.Unauthorized)]
    public void What_the_nodes_may_take_later_is_not(ServerErrorCode code)
    {
        var failure = new CqlServerException(code, "the mutation is too large", null);

        Assert.That(failure.Told("ks", BatchStatement.Rent()).Error.Definition, Is.EqualTo(StoreErrors.Unavailable));
    }
}
