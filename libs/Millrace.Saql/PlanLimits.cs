namespace Millrace.Saql;

/// <summary>How large a plan may become, so that a short text is none without end.</summary>
/// <param name="SizeMax">
/// Characters of the text, each as often as it is bound, with what SELECTs, columns and operators weigh beside it.
/// </param>
/// <param name="DepthMax">
/// Levels of expressions that a column is computed from, through all steps without a window: evaluation recurses.
/// </param>
public sealed record PlanLimits(int SizeMax, int DepthMax)
{
    /// <summary>Half a second of binding, and 10,000 branches of short SELECTs.</summary>
    public static PlanLimits Default { get; } = new(4 * 1024 * 1024, 2000);
}
