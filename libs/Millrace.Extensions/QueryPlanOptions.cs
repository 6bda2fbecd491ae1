using System.ComponentModel.DataAnnotations;
using Millrace.Saql;

namespace Millrace.Extensions;

/// <summary>
/// How large the plan of a query may become; more is refused with SQ-0019. The same for every process that compiles
/// queries. Section "Queries:Plans".
/// </summary>
public sealed class QueryPlanOptions
{
    /// <summary>
    /// Characters of a query's text, each as often as it is computed, with what SELECTs, columns and windows weigh
    /// beside it. 4,194,304 are half a second of compiling.
    /// </summary>
    [Range(10_000, 64 * 1024 * 1024)]
    public int SizeMax { get; set; } = PlanLimits.Default.SizeMax;

    /// <summary>
    /// Levels of expressions that a column is computed from, through all steps without a window. Each takes room on
    /// the stack of a thread, so that there cannot be more of them.
    /// </summary>
    [Range(100, 2000)]
    public int DepthMax { get; set; } = PlanLimits.Default.DepthMax;
}
