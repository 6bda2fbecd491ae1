namespace Millrace.Contracts.Tests;

public class RepartitionRecordTests
{
    private const string Golden =
        "0102" + "07000000" + "0900000000000000" + "03000000" + "2A00000000000000" + "05000000";

    private static readonly RepartitionRecord Row = new(RepartitionKind.Row, 7, 9, 3, 42, 5);

    [Test]
    public void The_bytes_are_what_other_versions_read()
    {
        var bytes = new byte[RepartitionRecord.Bytes];
        Row.Write(bytes);

        Assert.That(Convert.ToHexString(bytes), Is.EqualTo(Golden));
        Assert.That(RepartitionRecord.TryRead(bytes, out var read));
        Assert.That(read, Is.EqualTo(Row));
    }

    [TestCase("")]
    [TestCase("01020700")]
    [TestCase("02" + "02" + "07000000" + "0900000000000000" + "03000000" + "2A00000000000000" + "05000000")]
    public void What_has_another_form_is_not_read(string hex) =>
        Assert.That(RepartitionRecord.TryRead(Convert.FromHexString(hex), out _), Is.False);

    [TestCase(41, 9, true)]
    [TestCase(42, 4, true)]
    [TestCase(42, 5, false)]
    [TestCase(43, 0, false)]
    public void Rows_of_a_source_rise_by_offset_and_then_ordinal(long offset, int ordinal, bool expected) =>
        Assert.That(Row.IsBehind(offset, ordinal), Is.EqualTo(expected));

    [Test]
    public void Groups_of_both_stages_name_their_query()
    {
        string[] groups =
        [
            ConsumerGroups.OfQuery("a.b"), ConsumerGroups.OfCheckpoint("a.b"), ConsumerGroups.OfRepartition("a.b"),
            ConsumerGroups.OfDealer("a.b", 12),
        ];
        Assert.That(groups.Select(ConsumerGroups.QueryOf), Has.All.EqualTo("a.b"));
        Assert.That(groups.Distinct().Count(), Is.EqualTo(4));
    }
}
