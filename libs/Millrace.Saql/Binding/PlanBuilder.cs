using Millrace.Saql.Expressions;
using Millrace.Saql.Extensions;
using Millrace.Saql.Models;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Binding;

/// <summary>The parts of a plan that expressions and sources add to.</summary>
internal sealed class PlanBuilder(
    QueryExtensions extensions, IReadOnlyCollection<QueryModel>? knownModels, PlanLimits limits,
    Diagnostics diagnostics)
{
    public PlanSize Size { get; } = new(limits, diagnostics);

    public Slips Slips { get; } = new(diagnostics);

    public QueryExtensions Extensions => extensions;

    /// <summary>The models that ML_SCORE may name; null: any.</summary>
    public IReadOnlyCollection<QueryModel>? KnownModels => knownModels;

    private readonly Dictionary<TextSpan, AnalyticPlan> _analyticsByPlace = [];
    private readonly Dictionary<(TextSpan Place, Branch Branch), AnalyticInlet> _inlets = [];

    public List<OperatorPlan> Operators { get; } = [];

    public List<AnalyticPlan> Analytics { get; } = [];

    /// <summary>The models that the query scores with, in order of their numbers.</summary>
    public List<string> Models { get; } = [];

    public int Memos { get; private set; }

    /// <summary>See <see cref="PlanParts.TellsCasesApart"/>.</summary>
    public bool TellsCasesApart { get; set; }

    public int NewMemo() => Memos++;

    /// <summary>The value of a step, computed once a row, whoever reads it.</summary>
    /// <param name="place">What computes it.</param>
    public Expr Memo(Expr value, TextSpan place)
    {
        var memo = new MemoExpr(value, NewMemo());
        return Size.AllowsDepth(memo.Depth, place) ? memo : new ConstantExpr(Value.Null);
    }

    /// <summary>The number of the model.</summary>
    public int Model(string name)
    {
        if (!Models.Contains(name)) Models.Add(name);
        return Models.IndexOf(name);
    }

    /// <summary>Adds an operator, behind all that it reads.</summary>
    public void Add(OperatorPlan one)
    {
        one.Number = Operators.Count;
        Size.AddOperator();
        Operators.Add(one);
    }

    /// <summary>
    /// The function that stands at a place of the text: one, whatever the number of branches that its source has.
    /// </summary>
    public AnalyticPlan Analytic(TextSpan place, Func<int, AnalyticPlan> make)
    {
        if (_analyticsByPlace.TryGetValue(place, out var known)) return known;
        var made = make(Analytics.Count);
        Analytics.Add(made);
        return _analyticsByPlace[place] = made;
    }

    public AnalyticInlet? Inlet(TextSpan place, Branch branch) => _inlets.GetValueOrDefault((place, branch));

    public void Add(TextSpan place, Branch branch, AnalyticInlet inlet)
    {
        _inlets[(place, branch)] = inlet;
        inlet.Analytic.Inlets.Add(inlet);
        inlet.Analytic.IsPartitionLocal &= inlet.Keys.Any(key => key.SeparatesPartitions);
        branch.Root.Analytics.Add(inlet);
    }
}
