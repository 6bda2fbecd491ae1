using Millrace.Archiver.Upkeep;
using Millrace.Contracts;
using Millrace.Delta;

namespace Millrace.Archiver.Tests;

public sealed class ArchiveTests
{
    private const long At = 1_764_000_000_000; // 2025-11-24T16:00:00Z
    private const long HourMs = 3_600_000;

    private ArchiverHarness _archive = null!;

    [SetUp]
    public async Task Make() => _archive = await new ArchiverHarness().MadeAsync();

    [TearDown]
    public async Task Remove() => await _archive.DisposeAsync();

    [Test]
    public async Task Files_roll_by_size_long_before_they_are_old()
    {
        _archive.With("RollAge", "1.00:00:00").With("RollSize", "2KiB").With("OutputRollSize", "1KiB");
        await _archive.StartAsync();
        var output = new OutputHarness(_archive, "rolled");
        await output.ApplyAsync(isArchived: true);
        for (var i = 0; i < 60; i++)
        {
            await _archive.SendAsync($"drone-{i % 3}", (At + i, new string('x', 200)));
            await output.RowAsync(0, 1, $"{i}", "{}");
        }

        await TestKit.Eventually.TrueAsync(
            async () => (await _archive.TableAsync())?.Files.Count >= 4, "telemetry's files roll");
        await TestKit.Eventually.TrueAsync(
            async () => (await output.TableAsync())?.Files.Count >= 4, "the output's files roll");
        Assert.That((await _archive.TableAsync())!.Files.Values.Select(file => file.Stats!.Records),
            Has.All.InRange(2, 30), "each when it had the size");
    }

    [Test]
    public async Task Every_column_says_what_the_record_said()
    {
        using var records = new RecordBatchBuilder();
        records.Begin(At + 123, "drone-1"u8);
        records.AddHeader(TelemetryHeaders.ContentType, "application/json"u8);
        records.AddHeader(TelemetryHeaders.ContentEncoding, "utf-8"u8);
        records.AddHeader(TelemetryHeaders.MessageId, "m-1"u8);
        records.AddHeader(TelemetryHeaders.ModuleId, "camera"u8);
        records.AddHeader(TelemetryHeaders.CreationTime, "2025-11-24T15:59:58.5Z"u8);
        records.AddHeader("app.b"u8, "zwei"u8);
        records.AddHeader("app.a"u8, "first"u8);
        records.AddHeader("app.a"u8, "last wins"u8);
        records.AddHeader(TelemetryHeaders.AuthMethod, "sas"u8);
        records.End("{\"t\":1}"u8);
        records.Begin(At + 124, "drone-1"u8);
        records.End([0xff, 0x00]);
        await _archive.AppendAsync(0, records);
        await _archive.StartAsync();
        await _archive.CaughtUpAsync();

        var rows = await _archive.SqlAsync(
            "SELECT device_id, module_id, enqueued_at, event_at, log_partition, log_offset, content_type, "
            + "content_encoding, message_id, properties, decode(body) AS body, date, hour, body_text "
            + "FROM telemetry WHERE log_offset = 0");
        Assert.That(rows.Single(), Is.EqualTo(
            "drone-1|camera|2025-11-24 16:00:00.123+00|2025-11-24 15:59:58.5+00|0|0|application/json|utf-8|m-1|"
            + "{b=zwei, a=last wins}|{\"t\":1}|2025-11-24|16|{\"t\":1}"));
        Assert.That(await _archive.SqlAsync(
            "SELECT coalesce(module_id, content_type, content_encoding, message_id, body_text, 'none') AS c, "
            + "cardinality(properties) AS p, hex(body) AS b FROM telemetry WHERE log_offset = 1"),
            Is.EqualTo(new[] { "none|0|FF00" }));
    }

    [Test]
    public async Task Rows_of_one_commit_fall_into_a_file_an_hour_sorted_by_device_and_time()
    {
        _archive.With("RollSize", "10MiB").With("RollAge", "00:00:02");
        foreach (var device in new[] { "c", "a", "b" })
        {
            await _archive.SendAsync(device,
                (At + HourMs, "late"), (At + 3, "3"), (At + 1, "1"), (At + 2, "2"), (At - 1, "before"));
        }

        await _archive.StartAsync();
        await _archive.CaughtUpAsync();

        var snapshot = (await _archive.TableAsync())!;
        Assert.That(snapshot.Files.Values.Select(file => Path.GetDirectoryName(file.Path)), Is.EquivalentTo(new[]
        {
            "date=2025-11-24/hour=15", "date=2025-11-24/hour=16", "date=2025-11-24/hour=17",
        }));
        var stats = snapshot.Files.Values.Single(file => file.PartitionValues["hour"] == "16").Stats!;
        Assert.That(stats.Records, Is.EqualTo(9));
        Assert.That((stats.Find("device_id")!.Min, stats.Find("device_id")!.Max), Is.EqualTo(("a", "c")));
        Assert.That(stats.Find("enqueued_at")!.Max, Is.EqualTo("2025-11-24T16:00:00.003Z"));
        Assert.That(stats.Find("message_id")!.NullCount, Is.EqualTo(9));
        Assert.That(await _archive.SqlAsync("SELECT device_id, body_text FROM telemetry WHERE hour = 16"),
            Is.EqualTo(new[] { "a|1", "a|2", "a|3", "b|1", "b|2", "b|3", "c|1", "c|2", "c|3" }),
            "the order of the file");
    }

    /// <summary>Few values are a dictionary, offsets their differences; what differs each time is as it is.</summary>
    [Test]
    public async Task Columns_are_encoded_as_it_pays()
    {
        for (var i = 0; i < 50; i++) await _archive.SendAsync($"drone-{i % 3}", (At + i, $"{i}"));
        await _archive.StartAsync();
        await _archive.CaughtUpAsync();
        var path = (await _archive.TableAsync())!.Files.Values.Single().Path;
        using var content = new MemoryStream((await _archive.Objects.GetAsync($"{TelemetryTable.Root}/{path}"))!);
        using var file = new ParquetSharp.ParquetFileReader(content);
        using var rows = file.RowGroup(0);

        var encodings = Enumerable.Range(0, rows.MetaData.NumColumns).ToDictionary(
            column => rows.MetaData.Schema.Column(column).Name,
            column => rows.MetaData.GetColumnChunkMetaData(column).Encodings);
        Assert.That(encodings["device_id"], Does.Contain(ParquetSharp.Encoding.RleDictionary)
            .Or.Contain(ParquetSharp.Encoding.PlainDictionary));
        Assert.That(encodings["log_offset"], Does.Contain(ParquetSharp.Encoding.DeltaBinaryPacked));
        foreach (var column in new[] { "log_offset", "enqueued_at", "event_at", "message_id", "body" })
            Assert.That(encodings[column], Does.Not.Contain(ParquetSharp.Encoding.RleDictionary), column);
    }

    [Test]
    public async Task Large_bodies_make_row_groups_of_fewer_rows()
    {
        _archive.With("RollSize", "4MiB").With("RowGroupSize", "10KiB")
            .With("Upkeep:UpkeepInterval", "00:00:00");
        await _archive.StartAsync();
        var large = new string('x', 4000);
        await _archive.SendAsync("a", [.. Enumerable.Range(0, 7).Select(i => (At, large))]);
        await _archive.CaughtUpAsync();
        await _archive.SendAsync("b", [.. Enumerable.Range(0, 300).Select(i => (At, "1"))]);
        await _archive.CaughtUpAsync();
        async Task<List<long>> GroupsAsync()
        {
            var groups = new List<long>();
            await foreach (var found in _archive.Objects.ListAsync("telemetry/date="))
            {
                using var stream = new MemoryStream((await _archive.Objects.GetAsync(found.Key))!);
                using var file = new ParquetSharp.ParquetFileReader(stream);
                for (var i = 0; i < file.FileMetaData.NumRowGroups; i++)
                {
                    using var group = file.RowGroup(i);
                    groups.Add(group.MetaData.NumRows);
                }
            }

            return groups;
        }

        var written = await GroupsAsync();
        Assert.That(written.Sum(), Is.EqualTo(307));
        Assert.That(written, Has.Some.EqualTo(2).And.Some.GreaterThan(20).And.None.EqualTo(7));
        await _archive.Get<Compactor>().RunOnceAsync(
            _archive.Get<ArchiveTables>().Telemetry, all: true, CancellationToken.None);
        var both = await GroupsAsync();
        Assert.That(both.Sum(), Is.EqualTo(2 * 307), "the merged file stands beside the others");
        Assert.That(both, Has.None.EqualTo(7));
    }

    [Test]
    public async Task A_field_that_is_no_text_is_null_and_the_others_of_its_row_are_not()
    {
        _archive.With("PromotedColumns:0:Name", "t").With("PromotedColumns:0:Path", "t")
            .With("PromotedColumns:1:Name", "mode").With("PromotedColumns:1:Path", "mode")
            .With("PromotedColumns:1:Type", "String");
        await _archive.StartAsync();
        await _archive.SendAsync("device-1",
            (At, """{"mode":"\ud800","t":1}"""), (At, """{"\udc00":0,"mode":"on","t":2}"""),
            (At, """{"t":3,"mode":"\u00e4\ud83d\ude00"}"""));
        await _archive.CaughtUpAsync();

        Assert.That(await _archive.SqlAsync("SELECT t, mode FROM telemetry ORDER BY log_offset"),
            Is.EqualTo(new[] { "1.0|", "2.0|on", "3.0|ä😀" }));
    }

    [Test]
    public async Task Promoted_fields_are_columns_and_null_where_a_body_has_none()
    {
        _archive.With("PromotedColumns:0:Name", "temperature").With("PromotedColumns:0:Path", "$.temperature")
            .With("PromotedColumns:1:Name", "battery").With("PromotedColumns:1:Path", "status.battery")
            .With("PromotedColumns:1:Type", "BigInt")
            .With("PromotedColumns:2:Name", "mode").With("PromotedColumns:2:Path", "status.mode")
            .With("PromotedColumns:2:Type", "String")
            .With("PromotedColumns:3:Name", "ok").With("PromotedColumns:3:Path", "ok")
            .With("PromotedColumns:3:Type", "Bool")
            .With("PromotedColumns:4:Name", "taken_at").With("PromotedColumns:4:Path", "at")
            .With("PromotedColumns:4:Type", "Timestamp");
        await _archive.SendAsync("d",
            (At, """
                {"temperature":21.5,"status":{"battery":80,"mode":"tür \"A\" \u00fc"},"ok":true,
                "at":"2025-11-24T16:00:00.5"}
                """),
            (At + 1, """{"status":{"mode":7,"battery":80.5},"temperature":"warm","ok":1,"at":"soon"}"""),
            (At + 2, """{"temperature":1, "broken":"""),
            (At + 3, "[1,2]"),
            (At + 4, "no json at all"),
            (At + 5, """  {"temperature":-3e2,"status":null}"""));
        await _archive.StartAsync();
        await _archive.CaughtUpAsync();

        Assert.That(await _archive.SqlAsync(
            "SELECT coalesce(temperature::VARCHAR, '-') AS a, coalesce(battery::VARCHAR, '-') AS b, "
            + "coalesce(mode, '-') AS c, coalesce(ok::VARCHAR, '-') AS d, coalesce(taken_at::VARCHAR, '-') AS e "
            + "FROM telemetry ORDER BY log_offset"),
            Is.EqualTo(new[]
            {
                "21.5|80|tür \"A\" ü|true|2025-11-24 16:00:00.5+00", "-|-|-|-|-", "-|-|-|-|-", "-|-|-|-|-",
                "-|-|-|-|-", "-300.0|-|-|-|-",
            }));
    }

    [Test]
    public async Task A_column_that_is_promoted_later_is_null_in_what_was_archived_before()
    {
        await _archive.SendAsync("d", (At, """{"temperature":1}"""));
        await _archive.StartAsync();
        await _archive.CaughtUpAsync();
        await _archive.StopAsync();

        _archive.With("PromotedColumns:0:Name", "temperature").With("PromotedColumns:0:Path", "temperature");
        await _archive.SendAsync("d", (At + 1, """{"temperature":2}"""));
        await _archive.StartAsync();
        await _archive.CaughtUpAsync();

        Assert.That(await _archive.SqlAsync(
            "SELECT body_text, coalesce(temperature, -1) AS t FROM telemetry ORDER BY enqueued_at"),
            Is.EqualTo(new[] { "{\"temperature\":1}|-1.0", "{\"temperature\":2}|2.0" }));
    }

    [Test]
    public async Task Stopping_archives_all_that_was_accepted()
    {
        _archive.With("RollAge", "01:00:00").With("RollSize", "1GiB");
        await _archive.StartAsync();
        for (var i = 0; i < 50; i++) await _archive.SendAsync($"device-{i}", (At + i, "x"), (At + i, "y"));

        await _archive.StopAsync();

        Assert.That(await _archive.SqlAsync("SELECT count(*) AS n FROM telemetry"), Is.EqualTo(new[] { "100" }));
        for (var partition = 0; partition < ArchiverHarness.Partitions; partition++)
        {
            var source = new TopicPartition(Topics.Telemetry, partition);
            var committed = await _archive.Log.CommittedAsync(ConsumerGroups.Archiver, source);
            Assert.That(committed!.NextOffset, Is.EqualTo((await _archive.Log.RangeAsync(source)).Next));
        }
    }

    [Test]
    public async Task Status_counts_rows_and_lag()
    {
        await _archive.SendAsync("d", (At, "x"), (At, "y"));
        await _archive.StartAsync();

        await TestKit.Eventually.TrueAsync(() => _archive.Status is { ArchivedRows: 2, TelemetryLag.Records: 0 },
            "rows counted");
        Assert.That(_archive.Status.LastCommitAt, Is.Not.Null);
        await _archive.StopAsync();
        await _archive.StartAsync();
        await TestKit.Eventually.TrueAsync(() => _archive.Status.ArchivedRows == 2, "rows of before counted");
    }

    [Test]
    public async Task A_thousand_random_records_come_back_as_they_were_sent()
    {
        var random = new Random(11);
        var expected = new List<string>();
        for (var i = 0; i < 1000; i++)
        {
            var device = $"device-{random.Next(20):D2}";
            var body = new string((char)('a' + random.Next(26)), random.Next(300));
            var atMs = At + random.Next((int)(3 * HourMs));
            await _archive.SendAsync(device, (atMs, body));
            expected.Add($"{device}|{atMs}|{body}");
        }

        await _archive.StartAsync();
        await _archive.CaughtUpAsync();

        Assert.That(await _archive.SqlAsync(
            "SELECT device_id, epoch_ms(enqueued_at) AS ms, decode(body) AS b FROM telemetry"),
            Is.EquivalentTo(expected));
    }
}
