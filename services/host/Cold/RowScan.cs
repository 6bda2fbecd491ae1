namespace Millrace.Cold;

/// <summary>
/// Finds where the first so many rows of an answer end, as it streams by. Over HTTP/1.1 an answer cannot say at its end
/// that it was cut, so that one row more is asked for, and not printed.
/// </summary>
/// <param name="quotes">In CSV, a line that ends within quotes goes on; in JSON lines, a line is a row.</param>
internal sealed class RowScan(long rows, bool quotes)
{
    private long _left = rows;
    private bool _isQuoted;

    /// <summary>Whether there were bytes after the last row.</summary>
    public bool IsCut { get; private set; }

    /// <summary>How many of the bytes belong to the rows.</summary>
    public int Take(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            if (_left == 0)
            {
                IsCut = true;
                return i;
            }

            if (bytes[i] == '"' && quotes) _isQuoted = !_isQuoted;
            else if (bytes[i] == '\n' && !_isQuoted) _left--;
        }

        return bytes.Length;
    }
}
