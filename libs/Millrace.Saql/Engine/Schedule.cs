namespace Millrace.Saql.Engine;

/// <summary>Operators that share a timeline, and when the next of them is due.</summary>
/// <param name="operators">In an order in which none reads a later one.</param>
internal sealed class Schedule(OperatorState[] operators)
{
    /// <summary>long.MaxValue when nothing is due.</summary>
    public long NextDue { get; private set; } = long.MaxValue;

    public bool Has(OperatorState one) => Array.IndexOf(operators, one) >= 0;

    public void Refresh()
    {
        NextDue = long.MaxValue;
        foreach (var one in operators) NextDue = Math.Min(NextDue, one.NextDue);
    }

    /// <summary>
    /// Closes what is due before the time: by its time, and of one time what others read first.
    /// </summary>
    public void CloseBefore(long time)
    {
        while (NextDue < time)
        {
            foreach (var one in operators)
            {
                if (one.NextDue != NextDue) continue;
                one.CloseNext();
                break;
            }
        }
    }
}
