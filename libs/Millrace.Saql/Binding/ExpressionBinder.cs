using Millrace.Primitives;
using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Values;

namespace Millrace.Saql.Binding;

/// <summary>
/// Gives names their meaning and checks what is known of types before a row is seen. After an error it answers with a
/// null constant, so that the rest is checked too.
/// </summary>
internal abstract partial class ExpressionBinder(RowScope scope, Diagnostics diagnostics)
{
    protected static readonly Expr Nothing = new ConstantExpr(Value.Null);

    /// <summary>Choices that what is bound now stands within.</summary>
    private int _choices;

    protected RowScope Scope => scope;

    protected Diagnostics Diagnostics => diagnostics;

    /// <summary>A meaning for the whole expression that does not depend on its parts; null to go on.</summary>
    protected abstract Expr? BindWhole(ExpressionSyntax syntax);

    protected abstract Expr BindName(NameSyntax name);

    protected abstract Expr BindAggregate(CallSyntax call);

    protected abstract Expr BindOver(OverSyntax over);

    /// <summary>System.Window().Id: null but for windows that were given one.</summary>
    protected virtual Expr BindWindowId() => Nothing;

    /// <summary>Whether a name is written as text is elsewhere, and surely no column.</summary>
    protected virtual bool IsText(NameSyntax name) => false;

    public Expr Bind(ExpressionSyntax syntax)
    {
        if (BindWhole(syntax) is { } whole) return whole;
        var bound = BindParts(syntax);
        scope.Builder.Slips.Look(syntax, bound, _choices > 0, IsText);
        return bound;
    }

    private Expr BindParts(ExpressionSyntax syntax) => syntax switch
    {
        LiteralSyntax literal => new ConstantExpr(Constant(literal.Value)),
        NameSyntax name => IsMisspelt(name) ? Nothing : BindName(name),
        UnarySyntax unary => BindUnary(unary),
        BinarySyntax binary => BindBinary(binary),
        BetweenSyntax between => BindBetween(between),
        InSyntax inList => BindIn(inList),
        LikeSyntax like => Negated(like.Negated, new LikeExpr(
            Bind(like.Value), Bind(like.Pattern), like.Escape is null ? null : Bind(like.Escape))),
        IsNullSyntax isNull => new IsNullExpr(Bind(isNull.Value), isNull.Negated),
        CaseSyntax choice => BindCase(choice),
        CastSyntax cast => BindCast(cast),
        CallSyntax call => BindCall(call),
        OverSyntax over => IsKnown(over.Call) ? BindOver(over) : RefuseFunction(over.Call),
        MemberSyntax { Record: CallSyntax window } member when window.Is("System.Window") => BindWindow(member),
        MemberSyntax member => new MemberExpr(Bind(member.Record), member.Parts.Select(part => part.Text)),
        _ => Nothing,
    };

    /// <summary>An expression that filters rows.</summary>
    public Expr BindFilter(ExpressionSyntax syntax)
    {
        var filter = BindCondition(syntax);
        scope.Builder.Slips.LookAtFilter(syntax);
        return filter;
    }

    /// <summary>An expression that is true or not.</summary>
    private Expr BindCondition(ExpressionSyntax syntax)
    {
        var condition = Bind(syntax);
        if (condition.Type is { } type && type != ValueKind.Bit)
        {
            Error(SaqlErrors.TypeMismatch, syntax.Place,
                $"Found a {type.Name()}; expected a condition, such as a comparison with =, <, >, LIKE or IS NULL.");
        }

        return condition;
    }

    /// <summary>What may not be computed, as that depends on other parts of the expression.</summary>
    private Expr BindChoice(ExpressionSyntax syntax)
    {
        _choices++;
        var bound = Bind(syntax);
        _choices--;
        return bound;
    }

    protected void Error(ErrorDefinition error, TextSpan place, string message) =>
        diagnostics.Add(error, place, message);

    private static Value Constant(object? value) => value switch
    {
        bool bit => Value.Of(bit),
        long integer => Value.Of(integer),
        double number => Value.Of(number),
        string text => Value.OfText(System.Text.Encoding.UTF8.GetBytes(text)),
        _ => Value.Null,
    };

    protected static Expr Text(string text) => new ConstantExpr(Constant(text));

    /// <summary>System.Timestmp is told, and not taken for a field of a record System.</summary>
    private bool IsMisspelt(NameSyntax name)
    {
        if (name.Parts is not [{ Quoted: false, Text: var first }, { Quoted: false, Text: var second }]
            || !first.Equals("System", StringComparison.OrdinalIgnoreCase)
            || scope.Sources.Any(source => source.Has(first))
            || Suggestions.For($"System.{second}", ["System.Timestamp", "System.Window"]) is not { Length: > 0 } hint)
            return false;
        Error(SaqlErrors.UnknownFunction, name.Place,
            $"There is no System.{second}.{hint} A field is written [{first}].{second}.");
        return true;
    }

    private Expr BindWindow(MemberSyntax member)
    {
        if (member.Parts is [var only] && only.Text.Equals("Id", StringComparison.OrdinalIgnoreCase))
            return BindWindowId();
        Error(SaqlErrors.UnknownWord, member.Place, "System.Window() has one field: Id.");
        return Nothing;
    }

    private static Expr Negated(bool negated, Expr condition) => negated ? new NotExpr(condition) : condition;

    private Expr BindUnary(UnarySyntax unary)
    {
        if (unary.Operator == "NOT") return new NotExpr(BindCondition(unary.Operand));
        var operand = Bind(unary.Operand);
        if (operand.Type is { } type && !type.IsNumber() && type is not (ValueKind.Bit or ValueKind.Text))
            Error(SaqlErrors.TypeMismatch, unary.Place, $"{unary.Operator} needs a number; found a {type.Name()}.");
        return unary.Operator switch
        {
            "-" => new NegateExpr(operand),
            "~" => new ComplementExpr(operand),
            _ => operand,
        };
    }

    private Expr BindBinary(BinarySyntax binary)
    {
        if (binary.Operator is "AND" or "OR")
        {
            var first = BindCondition(binary.Left);
            var second = BindCondition(binary.Right);
            return binary.Operator == "AND" ? new AndExpr(first, second) : new OrExpr(first, second);
        }

        var left = Bind(binary.Left);
        var right = Bind(binary.Right);
        if (TryComparison(binary.Operator, out var comparison))
            return Compare(comparison, left, right, binary.OperatorPlace);
        var symbol = binary.Operator[0];
        CheckArithmetic(symbol, left, right, binary.OperatorPlace);
        return symbol is '&' or '|' or '^'
            ? new BitwiseExpr(symbol, left, right)
            : new ArithmeticExpr(symbol, left, right);
    }

    private static bool TryComparison(string symbol, out CompareOperator comparison)
    {
        CompareOperator? found = symbol switch
        {
            "=" => CompareOperator.Equal,
            "<>" or "!=" => CompareOperator.NotEqual,
            "<" => CompareOperator.Less,
            "<=" or "!>" => CompareOperator.LessOrEqual,
            ">" => CompareOperator.Greater,
            ">=" or "!<" => CompareOperator.GreaterOrEqual,
            _ => null,
        };
        comparison = found ?? default;
        return found is not null;
    }

    private Expr Compare(CompareOperator comparison, Expr left, Expr right, TextSpan place)
    {
        (left, right) = Harmonise(left, right, place);
        if (left is SlotExpr field
            && right is ConstantExpr { Value: { Kind: ValueKind.BigInt or ValueKind.Float } constant })
            return new CompareSlotExpr(comparison, field.Slot, constant);
        return new CompareExpr(comparison, left, right);
    }

    /// <summary>Turns a constant text into what it is compared with, and tells when that cannot be.</summary>
    private (Expr Left, Expr Right) Harmonise(Expr left, Expr right, TextSpan place)
    {
        if (left is ConstantExpr && right is not ConstantExpr)
        {
            var (second, first) = Harmonise(right, left, place);
            return (first, second);
        }

        if (left.Type is not { } type || right.Type is not { } other || type == other) return (left, right);
        if (right is ConstantExpr { Value: { Kind: ValueKind.Text } text })
        {
            if (type == ValueKind.DateTime && Conversion.TryDateTime(text, out var time))
                return (left, new ConstantExpr(time));
            if ((type.IsNumber() && Conversion.TryNumber(text, out _)) || type == ValueKind.Bit) return (left, right);
            Mismatch($"a {type.Name()} is compared with {Shown.Of(text)}");
        }
        else if (type == ValueKind.DateTime != (other == ValueKind.DateTime) && type != ValueKind.Text
            && other != ValueKind.Text)
            Mismatch($"a {type.Name()} is compared with a {other.Name()}");
        return (left, right);

        void Mismatch(string what) => Error(SaqlErrors.TypeMismatch, place,
            $"The types do not go together: {what}; CAST one side.");
    }

    private void CheckArithmetic(char symbol, Expr left, Expr right, TextSpan place)
    {
        foreach (var side in (ReadOnlySpan<Expr>)[left, right])
        {
            var fits = side.Type switch
            {
                ValueKind.DateTime or ValueKind.Record or ValueKind.Array => false,
                ValueKind.Float => symbol is not ('&' or '|' or '^'),
                ValueKind.Text when side is ConstantExpr constant =>
                    Conversion.TryNumber(constant.Value, out _) || (symbol == '+'
                        && left.Type is null or ValueKind.Text && right.Type is null or ValueKind.Text),
                _ => true,
            };
            if (fits) continue;
            var hint = side.Type == ValueKind.DateTime ? " Use DATEADD or DATEDIFF." : "";
            Error(SaqlErrors.TypeMismatch, place, $"'{symbol}' is not defined for a {side.Type!.Value.Name()}.{hint}");
            return;
        }
    }

    private Expr BindBetween(BetweenSyntax between)
    {
        var value = Bind(between.Value);
        var (_, low) = Harmonise(value, Bind(between.Low), between.Low.Place);
        var (_, high) = Harmonise(value, Bind(between.High), between.High.Place);
        return Negated(between.Negated, new BetweenExpr(value, low, high));
    }

    private Expr BindIn(InSyntax inList)
    {
        var value = Bind(inList.Value);
        var choices = inList.Choices.Select(choice => Harmonise(value, Bind(choice), choice.Place).Right).ToArray();
        if (choices.Length == 0)
            Error(SaqlErrors.Unexpected, inList.Place, "IN needs at least one value in its parentheses.");
        return Negated(inList.Negated, new InExpr(value, choices));
    }

    private Expr BindCase(CaseSyntax choice)
    {
        var input = choice.Input is null ? null : Bind(choice.Input);
        var arms = choice.Arms.Select(arm =>
        {
            var when = input is null
                ? BindCondition(arm.When)
                : new MatchesExpr(input, Bind(arm.When));
            return (when, BindChoice(arm.Then));
        }).ToArray();
        return new CaseExpr(arms, choice.Else is null ? null : BindChoice(choice.Else));
    }

    private Expr BindCast(CastSyntax cast)
    {
        var operand = Bind(cast.Value);
        return TypeNames.Find(cast.TypeName, cast.TypePlace, diagnostics) is { } target
            ? new CastExpr(operand, target, cast.Try)
            : Nothing;
    }
}
