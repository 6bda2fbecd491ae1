using Millrace.Batch.Frames;

namespace Millrace.Contract.Tests.Batch;

public abstract partial class BatchEngineContract
{
    [TestCase("temperature")]
    [TestCase("TEMPERATURE")]
    public async Task A_column_takes_the_place_of_one_of_its_name_whatever_its_case(string name)
    {
        await SampleArchive.WriteAsync(Store);
        var rows = DataFrame.Read("telemetry").Filter(Column.Of("log_offset").EqualTo(3));
        var value = Column.Of("temperature") + 1000;

        Assert.That(await RowsAsync(rows.Select("temperature", "device_id").WithColumn(name, value)),
            Is.EqualTo(new[] { $"device_id|{name}", "device-3|1003" }));
        Assert.That(await RowsAsync(rows.Select("temperature").WithColumn(name, value)),
            Is.EqualTo(new[] { name, "1003" }), "the only one");
        Assert.That(await RowsAsync(rows.Select("temperature").WithColumn("other", value)),
            Is.EqualTo(new[] { "temperature|other", "3|1003" }));
    }

    /// <summary>The names of the columns, and the rows.</summary>
    private async Task<List<string>> RowsAsync(DataFrame frame)
    {
        await using var result = await Engine.QueryAsync(frame.ToQuery());
        var rows = await ArrowText.RowsAsync(result);
        return [string.Join('|', result.Schema.FieldsList.Select(field => field.Name)), .. rows];
    }
}
