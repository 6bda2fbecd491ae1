using Millrace.Batch.Frames;
using static Millrace.Batch.Frames.Functions;

namespace Millrace.Batch.Tests;

public sealed class FrameSqlTests
{
    private static readonly DataFrame Telemetry = DataFrame.Read("telemetry");

    [Test]
    public void Conditions_stay_beside_the_table() => Assert.That(
        Telemetry.Filter(Column.Of("hour") >= 3).Filter(Column.Of("hour") < 5).Select("device_id").ToSql(),
        Is.EqualTo("""SELECT "device_id" FROM "telemetry" WHERE ("hour" >= 3) AND ("hour" < 5)"""));

    [Test]
    public void A_step_on_other_rows_goes_around() => Assert.That(
        Telemetry.GroupBy("device_id").Aggregate(Count().As("n")).Filter(Column.Of("n") > 1)
            .OrderBy(Column.Of("n").Descending()).Limit(3).ToSql(),
        Is.EqualTo("""
            SELECT * FROM (SELECT "device_id", count(1) AS "n" FROM "telemetry" GROUP BY 1) WHERE ("n" > 1)
            ORDER BY "n" DESC NULLS LAST LIMIT 3
            """.ReplaceLineEndings(" ")));

    [Test]
    public void Names_and_texts_are_quoted() => Assert.That(
        Telemetry.Filter(Column.Of("a\"b").EqualTo(Column.Value("it's"))).ToSql(),
        Is.EqualTo("""SELECT * FROM "telemetry" WHERE ("a""b" = 'it''s')"""));
}
