using System.Runtime.InteropServices;
using Millrace.Contracts;
using Millrace.Saql.Decoding;
using Millrace.Saql.Json;

namespace Millrace.Saql.Engine;

/// <summary>Bodies that are JSON, as they came or decoded: an object, an array of them, or one a line.</summary>
internal sealed partial class InputState
{
    /// <param name="body">The array that the body lies in: the record's, or one that it was decoded into.</param>
    private void ReadBody(
        SourceState source, in RecordView record, byte[] array, ref byte arrayStart, byte[] body, int start, int length,
        RecordTimes times)
    {
        var takers = CollectionsMarshal.AsSpan(_takers[source.Rank]);
        var isArray = JsonScanner.FirstToken(body.AsSpan(start, length)) == '[';
        if (!isArray && _reader.TryRead(body, start, length))
        {
            TakeRow(source, record, array, ref arrayStart, 0, times, takers);
            return;
        }

        if (isArray && TryElements(source, record, array, ref arrayStart, body, start, length, times, takers)) return;
        if (_decoder.IsLines(record))
        {
            var lines = LinesBody.ToJson(body.AsSpan(start, length));
            if (TryElements(source, record, array, ref arrayStart, lines, 0, lines.Length, times, takers)) return;
        }

        var text = body.AsSpan(start, length);
        Fail(source, record, SaqlErrors.BadBody, !isArray && IsUnfit(text)
            ? Unfit("it")
            : $"It is no valid JSON {(isArray ? "array" : "object")}.");
    }

    /// <summary>Whether an object that could not be read is one for JSON: then a number of it is none here.</summary>
    private static bool IsUnfit(ReadOnlySpan<byte> json)
    {
        var scanner = new JsonScanner(json);
        scanner.SkipBlanks();
        if (scanner.Current != '{' || !scanner.TrySkipValue()) return false;
        scanner.SkipBlanks();
        return scanner.AtEnd;
    }

    private static string Unfit(string what) => $"A number in {what} fits neither a bigint nor a float.";

    /// <summary>Each element of the array is a row. False when it is not valid as a whole.</summary>
    private bool TryElements(
        SourceState source, in RecordView record, byte[] array, ref byte arrayStart, byte[] body, int start, int length,
        RecordTimes times, Span<(FeedState Feed, RowTaker Taker, int Index)> takers)
    {
        var check = new JsonScanner(body.AsSpan(0, start + length), start);
        check.SkipBlanks();
        var first = check.At + 1;
        var isValid = check.TrySkipValue();
        check.SkipBlanks();
        if (!isValid || !check.AtEnd) return false;
        var scanner = new JsonScanner(body.AsSpan(0, start + length), first);
        scanner.SkipBlanks();
        for (var element = 0; scanner.Current != ']'; element++)
        {
            var elementStart = scanner.At;
            scanner.TrySkipValue();
            if (_onlyElement != AllElements && _onlyElement != element)
            {
                // Another element of this body failed, and is what is taken late.
            }
            else if (_reader.TryRead(body, elementStart, scanner.At - elementStart))
                TakeRow(source, record, array, ref arrayStart, element, times, takers);
            else
            {
                CountRow(source, isTaken: false);
                _context.Fail(source.Partition, record.Offset, element, SaqlErrors.BadBody,
                    IsUnfit(body.AsSpan(elementStart, scanner.At - elementStart))
                        ? Unfit($"element {element} of the array")
                        : $"Element {element} of the array is no JSON object.");
            }

            _frame.Arena.WindBack(0);
            scanner.SkipBlanks();
            scanner.TrySkip((byte)',');
            scanner.SkipBlanks();
        }

        return true;
    }
}
