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

    [TestCase("q/1", 1)]
    [TestCase("q/42", 42)]
    [TestCase("q/", 0)]
    [TestCase("q", 0)]
    [TestCase("q/4x", 0)]
    [TestCase("qq/1", 0)]
    [TestCase("r/1", 0)]
    public void The_header_tells_the_version_of_a_query_alone(string header, int version) => Assert.That(
        OutputHeaders.VersionOf(System.Text.Encoding.UTF8.GetBytes(header), "q"u8), Is.EqualTo(version));

    [Test]
    public void A_later_version_makes_the_newer_owner_and_then_a_higher_epoch()
    {
        OwnerAge[] rising = [new(1, 1), new(1, 9), new(2, 1), new(2, 2), new(10, 0)];
        Assert.That(rising, Is.Ordered);
    }

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
