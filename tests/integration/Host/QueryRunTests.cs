using System.Text.Json;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Host;

/// <summary>millrace query run, over files alone.</summary>
public class QueryRunTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void Open() => _folder = new TemporaryFolder();

    [TearDown]
    public void Close() => _folder.Dispose();

    [Test]
    public async Task Every_output_has_its_file_with_fields_in_order_even_when_it_is_empty()
    {
        var run = await RunAsync(
            "SELECT b, a INTO pairs FROM telemetry; SELECT a INTO none FROM telemetry WHERE a > 100",
            """{"a": 1, "b": "x"}""", """{"a": 2, "b": null}""");

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Lines("pairs.jsonl"), Is.EqualTo(new[] { """{"b":"x","a":1}""", """{"b":null,"a":2}""" }));
        Assert.That(Lines("none.jsonl"), Is.Empty);
    }

    [Test]
    public async Task Without_a_name_the_output_is_output_and_windows_close_at_the_end()
    {
        var run = await RunAsync(
            "SELECT COUNT(*) AS n FROM telemetry TIMESTAMP BY t GROUP BY TumblingWindow(second, 10)",
            """{"t": "2026-01-01T00:00:01Z"}""", """{"t": "2026-01-01T00:00:09Z"}""",
            """{"t": "2026-01-01T00:00:12Z"}""");

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Lines("output.jsonl"), Is.EqualTo(new[] { """{"n":2}""", """{"n":1}""" }));
    }

    [Test]
    public async Task A_packed_CSV_is_joined_with_reference_data()
    {
        await using (var packed = new System.IO.Compression.GZipStream(
            File.Create(_folder.Sub("in.csv.gz")), System.IO.Compression.CompressionLevel.Fastest))
            packed.Write("room,t\n1,20.5\n2,30\n9,1\n"u8);
        File.WriteAllText(_folder.Sub("rooms.json"), """[{"id": 1, "name": "hall"}, {"id": 2, "name": "attic"}]""");
        File.WriteAllText(_folder.Sub("q.saql"),
            "SELECT r.name, t.t FROM telemetry t JOIN rooms r ON t.room = r.id WHERE t.t > 1");
        var run = await Command.MillraceAsync(["query", "run", _folder.Sub("q.saql"), "--input",
            $"telemetry={_folder.Sub("in.csv.gz")}", "--reference", $"rooms={_folder.Sub("rooms.json")}", "--output",
            _folder.Sub("out")]);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Lines("output.jsonl"),
            Is.EqualTo(new[] { """{"name":"hall","t":20.5}""", """{"name":"attic","t":30}""" }));
    }

    [Test]
    public async Task Entries_of_reference_data_that_no_row_can_meet_are_told()
    {
        File.WriteAllText(_folder.Sub("in.jsonl"), """{"room": 2}""");
        File.WriteAllText(_folder.Sub("rooms.json"), """[{"id": "new", "name": "?"}, {"id": "2", "name": "attic"}]""");
        File.WriteAllText(_folder.Sub("q.saql"),
            "SELECT r.name FROM telemetry t JOIN rooms r ON t.room = CAST(r.id AS bigint)");
        var run = await Command.MillraceAsync(["query", "run", _folder.Sub("q.saql"), "--input",
            $"telemetry={_folder.Sub("in.jsonl")}", "--reference", $"rooms={_folder.Sub("rooms.json")}", "--output",
            _folder.Sub("out")]);

        Assert.That(Lines("output.jsonl"), Is.EqualTo(new[] { """{"name":"attic"}""" }), run.Error);
        Assert.That(run.Error, Does.Contain("1 entries of rooms are left out, which no row can meet: "));
    }

    [Test]
    public async Task A_packed_file_of_several_members_is_read_and_one_that_was_cut_off_is_an_error()
    {
        var file = _folder.Sub("in.jsonl.gz");
        var lines = string.Concat(Enumerable.Range(0, 5_000).Select(n => $$"""{"n": {{n}}}{{'\n'}}"""));
        for (var member = 0; member < 2; member++)
        {
            await using var packed = new System.IO.Compression.GZipStream(
                File.Open(file, FileMode.Append), System.IO.Compression.CompressionLevel.Fastest);
            packed.Write(System.Text.Encoding.UTF8.GetBytes(lines));
        }

        File.WriteAllText(_folder.Sub("q.saql"), "SELECT n FROM telemetry");
        var whole = await RunAsync();
        var bytes = File.ReadAllBytes(file);
        File.WriteAllBytes(file, bytes[..(bytes.Length * 3 / 4)]);
        var cut = await RunAsync();
        File.WriteAllText(file, lines);
        var plain = await RunAsync();

        Assert.That(whole.ExitCode, Is.Zero, whole.Error);
        Assert.That(whole.Error, Does.Contain("10000 lines in, 10000 rows out"));
        Assert.That(cut.ExitCode, Is.EqualTo(1));
        Assert.That(cut.Error, Does.Contain("SQ-0304").And.Contain("in.jsonl.gz").And.Not.Contain("rows out"));
        Assert.That(plain.ExitCode, Is.EqualTo(1));
        Assert.That(plain.Error, Does.StartWith("SQ-0304"));

        Task<Command.Result> RunAsync() => Command.MillraceAsync(["query", "run", _folder.Sub("q.saql"), "--input",
            $"telemetry={file}", "--output", _folder.Sub("out")]);
    }

    [Test]
    public async Task A_line_that_fails_stops_the_run_with_its_number()
    {
        var run = await RunAsync(
            "SELECT CAST(a AS bigint) AS n FROM telemetry", """{"a": "1"}""", "", """{"a": "no"}""");

        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Error, Does.Contain("CL-0005").And.Contain("telemetry line 3"));
        Assert.That(Lines("output.jsonl"), Is.EqualTo(new[] { """{"n":1}""" }));
    }

    [Test]
    public async Task When_told_to_drop_failing_lines_go_to_dead_letters_and_the_run_goes_on()
    {
        var run = await RunAsync(
            "SELECT a AS n FROM telemetry", ["--on-error", "drop"], """{"a": 1}""", "{", """{"a": 2}""");

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Lines("output.jsonl"), Is.EqualTo(new[] { """{"n":1}""", """{"n":2}""" }));
        Assert.That(Lines("dead-letter.jsonl").Single(), Does.Contain("\"line\":2").And.Contain("SQ-0301"));
    }

    [Test]
    public async Task A_line_that_is_no_object_is_told_with_its_code_once()
    {
        var run = await RunAsync("SELECT a FROM telemetry", "{");

        Assert.That(run.Error.Split("SQ-0301"), Has.Length.EqualTo(2), run.Error);
        Assert.That(run.Error, Does.Contain("The line is not a JSON object. [{]"));
    }

    [Test]
    public async Task The_first_line_that_fails_stops_the_run_after_the_rows_before_it()
    {
        var run = await RunAsync(
            "SELECT CAST(a AS bigint) AS n FROM telemetry", """{"a": "1"}""", """{"a": "no"}""", "{");

        Assert.That(run.Error, Does.Contain("telemetry line 2").And.Contain("SQ-0102"));
        Assert.That(Lines("output.jsonl"), Is.EqualTo(new[] { """{"n":1}""" }));
    }

    [Test]
    public async Task A_window_row_that_fails_gives_the_whole_line_of_its_first_event_however_long_ago_it_was()
    {
        const string first = """{"t":"2026-01-01T00:00:01Z","x":0,"note":"Å first"}""";
        var later = Enumerable.Range(0, 5_000).Select(i => $$"""{"t":"2026-01-01T00:00:02Z","x":0,"i":{{i}}}""");
        var run = await RunAsync(
            "SELECT 1 / SUM(x) AS q FROM telemetry TIMESTAMP BY t GROUP BY TumblingWindow(minute, 1)",
            ["--on-error", "drop"], ["\uFEFF", first, .. later]);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var letter = JsonDocument.Parse(Lines("dead-letter.jsonl").Single()).RootElement;
        Assert.That(letter.GetProperty("text").GetString(), Is.EqualTo(first));
        Assert.That(letter.GetProperty("line").GetInt32(), Is.EqualTo(2));
    }

    [Test]
    public async Task Late_events_are_adjusted_or_dropped_as_told()
    {
        string[] lines =
        [
            """{"t": "2026-01-01T00:00:10Z", "EventEnqueuedUtcTime": "2026-01-01T00:00:20Z"}""",
            """{"t": "2026-01-01T00:00:19Z", "EventEnqueuedUtcTime": "2026-01-01T00:00:20Z"}""",
        ];
        const string text = "SELECT System.Timestamp() AS at FROM telemetry TIMESTAMP BY t";
        await RunAsync(text, lines);
        Assert.That(Lines("output.jsonl")[0], Does.Contain("2026-01-01T00:00:15"));
        await RunAsync(text, ["--policy", "drop"], lines);
        Assert.That(Lines("output.jsonl").Single(), Does.Contain("2026-01-01T00:00:19"));
    }

    [Test]
    public async Task Wrong_usage_and_wrong_text_have_exit_codes_of_their_own()
    {
        var missing = await RunAsync("SELECT * FROM other", """{"a": 1}""");
        Assert.That(missing.ExitCode, Is.EqualTo(2), missing.Error);
        Assert.That(missing.Error, Does.Contain("CL-0004"));
        Assert.That((await Command.MillraceAsync("query", "run")).ExitCode, Is.EqualTo(2));
        var wrong = await RunAsync("SELECT FROM telemetry", """{"a": 1}""");
        Assert.That(wrong.ExitCode, Is.EqualTo(1));
        Assert.That(wrong.Error, Does.Contain("line 1, column"));
    }

    private Task<Command.Result> RunAsync(string text, params string[] lines) => RunAsync(text, [], lines);

    private Task<Command.Result> RunAsync(string text, string[] options, params string[] lines)
    {
        File.WriteAllText(_folder.Sub("query.saql"), text);
        File.WriteAllLines(_folder.Sub("in.jsonl"), lines);
        return Command.MillraceAsync(["query", "run", _folder.Sub("query.saql"), "--input",
            $"telemetry={_folder.Sub("in.jsonl")}", "--output", _folder.Sub("out"), .. options]);
    }

    private string[] Lines(string file) => File.ReadAllLines(Path.Combine(_folder.Sub("out"), file));
}
