using Millrace.Saql.Expressions;
using Millrace.Saql.Extensions;
using Millrace.Saql.Functions;
using Millrace.Saql.Models;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Binding;

internal abstract partial class ExpressionBinder
{
    private Expr BindCall(CallSyntax call)
    {
        var name = call.Name.ToUpperInvariant();
        if (Aggregates.Is(name)) return BindAggregate(call);
        if (call.Star || call.Distinct)
        {
            Error(SaqlErrors.BadArguments, call.Place, $"{name} does not take {(call.Star ? "*" : "DISTINCT")}.");
            return Nothing;
        }

        switch (name)
        {
            case "SYSTEM.TIMESTAMP":
                return CheckCount(call, 0, 0) ? BindTimestamp(call) : Nothing;
            case "COALESCE":
                return CheckCount(call, 1, int.MaxValue) ? BindCoalesce(call) : Nothing;
            case "ISNULL":
                return CheckCount(call, 2, 2) ? BindCoalesce(call) : Nothing;
            case "NULLIF":
                return CheckCount(call, 2, 2) ? BindNullIf(call) : Nothing;
            case "IIF":
                return CheckCount(call, 3, 3)
                    ? new CaseExpr([(BindCondition(call.Arguments[0]), BindChoice(call.Arguments[1]))],
                        BindChoice(call.Arguments[2]))
                    : Nothing;
            case "CONCAT":
                return CheckCount(call, 1, int.MaxValue) ? new ConcatExpr(null, BindAll(call)) : Nothing;
            case "CONCAT_WS":
                return CheckCount(call, 2, int.MaxValue)
                    ? new ConcatExpr(Bind(call.Arguments[0]), [.. call.Arguments.Skip(1).Select(Bind)])
                    : Nothing;
            case "SYSTEM.WINDOW":
                return CheckCount(call, 0, 0)
                    ? new RecordExpr(OutputColumns.Of([new ColumnItem("Id", BindWindowId())]))
                    : Nothing;
            case "GETMETADATAPROPERTYVALUE":
                return CheckCount(call, 2, 2) ? BindMetadata(call) : Nothing;
        }

        if (BindSpecial(call, name) is { } special) return special;
        if (DateFunctions.WithPart.Contains(name)) return BindDateFunction(call, name);
        if (FunctionTable.TryFind(name, out var function)) return BindFunction(call, function, call.Arguments);
        if (Scope.Builder.Extensions.Function(name) is { } user)
            return BindFunction(call, UserCall.FunctionOf(user), call.Arguments);
        if (WindowBinder.IsWindow(name))
            Error(SaqlErrors.WindowNeeded, call.Place, $"{call.Name} stands in GROUP BY, as an item of its own.");
        else if (name.StartsWith("UDA.", StringComparison.Ordinal))
        {
            Error(SaqlErrors.NotInLanguage, call.NamePlace, "There are no aggregates of one's own: give what " +
                "Collect(x) gathers of a group to a function, UDF.name(Collect(x)).");
            return Nothing;
        }
        else
        {
            return RefuseFunction(call);
        }

        foreach (var argument in call.Arguments) Bind(argument);
        return Nothing;
    }

    private bool IsKnown(CallSyntax call) =>
        WindowBinder.IsWindow(call.Name) || Known.Contains(call.Name, StringComparer.OrdinalIgnoreCase);

    private Expr RefuseFunction(CallSyntax call)
    {
        Error(SaqlErrors.UnknownFunction, call.NamePlace,
            $"There is no function {call.Name}.{Suggestions.ForFunction(call.Name, Known)}");
        foreach (var argument in call.Arguments) Bind(argument);
        return Nothing;
    }

    /// <summary>Functions with a form of their own; null for any other.</summary>
    private Expr? BindSpecial(CallSyntax call, string name)
    {
        if (name == QueryModel.Function) return BindScore(call);
        if (name == "ISFIRST") return BindOver(new OverSyntax(call.Place, call, [], [], null, null));
        if (AnalyticBinder.Is(name))
        {
            Error(SaqlErrors.BadArguments, call.Place,
                $"{call.Name} needs OVER (LIMIT DURATION(unit, number)): how far it looks back.");
            return Nothing;
        }

        if (GeographyFunctions.OfPoints.Contains(name))
        {
            var isPolygon = name == "CREATEPOLYGON";
            return CheckCount(call, isPolygon ? 4 : 2, int.MaxValue)
                ? new ShapeExpr(isPolygon, BindAll(call))
                : Nothing;
        }

        if (name is "GETARRAYELEMENTS" or "GETRECORDPROPERTIES")
        {
            Error(SaqlErrors.BadArguments, call.Place,
                $"{call.Name} gives rows: FROM ... CROSS APPLY {call.Name}(x) AS e.");
            return Nothing;
        }

        return null;
    }

    protected virtual Expr BindTimestamp(CallSyntax call) => new TimestampExpr();

    private IEnumerable<string> Known =>
    [
        .. FunctionTable.Names, .. Scope.Builder.Extensions.FunctionNames,
        "COALESCE", "ISNULL", "NULLIF", "IIF", "CONCAT", "CONCAT_WS", "GetMetadataPropertyValue", "System.Timestamp",
        "CAST", "TRY_CAST", .. Aggregates.Names, .. AnalyticBinder.Names, .. DateFunctions.WithPart,
        .. WindowBinder.Names,
        .. GeographyFunctions.OfPoints, "GetArrayElements", "GetRecordProperties", QueryModel.Function,
    ];

    private Expr[] BindAll(CallSyntax call) => [.. call.Arguments.Select(Bind)];

    private CoalesceExpr BindCoalesce(CallSyntax call) =>
        new([Bind(call.Arguments[0]), .. call.Arguments.Skip(1).Select(BindChoice)]);

    private bool CheckCount(CallSyntax call, int min, int max)
    {
        var count = call.Arguments.Count;
        if (count >= min && count <= max) return true;
        var wanted = min == max ? $"{min}" : max == int.MaxValue ? $"{min} or more" : $"{min} to {max}";
        Error(SaqlErrors.BadArguments, call.Place,
            $"{call.Name} takes {wanted} argument{(wanted == "1" ? "" : "s")}; found {count}.");
        return false;
    }

    private Expr BindNullIf(CallSyntax call)
    {
        var value = Bind(call.Arguments[0]);
        var same = Compare(CompareOperator.Equal, value, Bind(call.Arguments[1]), call.Place);
        return new CaseExpr([(same, Nothing)], value);
    }

    private Expr BindDateFunction(CallSyntax call, string name)
    {
        var count = name is "DATEADD" or "DATEDIFF" ? 3 : 2;
        if (!CheckCount(call, count, count)) return Nothing;
        if (call.Arguments[0] is not NameSyntax { Parts: [var word] } || !DateParts.TryParse(word.Text, out var part))
        {
            var written = call.Arguments[0] is NameSyntax other ? other.Parts[0].Text : "";
            Error(SaqlErrors.UnknownWord, call.Arguments[0].Place,
                $"{name} needs a date part first: year, quarter, month, dayofyear, day, week, weekday, hour, minute, " +
                $"second, millisecond or microsecond.{Suggestions.For(written, DateParts.Words)}");
            return Nothing;
        }

        return BindFunction(call, DateFunctions.For(name, part), [.. call.Arguments.Skip(1)]);
    }

    private Expr BindFunction(CallSyntax call, Function function, IReadOnlyList<ExpressionSyntax> syntax)
    {
        var arguments = syntax.Select(Bind).ToArray();
        var min = function.Parameters.Length - function.Optional;
        if (arguments.Length < min || arguments.Length > function.Parameters.Length)
        {
            Error(SaqlErrors.BadArguments, call.Place,
                $"{function.Signature} takes " +
                    $"{min}{(function.Optional > 0 ? $" to {function.Parameters.Length}" : "")} " +
                $"argument{(min == 1 && function.Optional == 0 ? "" : "s")}; found {arguments.Length}.");
            return Nothing;
        }

        for (var i = 0; i < arguments.Length; i++)
            arguments[i] = CheckArgument(function, i, arguments[i], syntax[i].Place);
        CheckPattern(function, arguments, syntax);
        var bound = new CallExpr(function, arguments);
        return function.OfGeographies is { } body ? new GeographyExpr(bound, body) : bound;
    }

    /// <summary>A constant pattern is looked at once; of REGEXMATCH it may be invalid, which gives 0.</summary>
    private void CheckPattern(Function function, Expr[] arguments, IReadOnlyList<ExpressionSyntax> syntax)
    {
        if (function.Name != "REGEXREPLACE"
            || arguments[1] is not ConstantExpr { Value: { Kind: ValueKind.Text } pattern })
        {
            return;
        }

        if (PatternCache.IsValid(System.Text.Encoding.UTF8.GetString(pattern.Utf8))) return;
        Error(SaqlErrors.BadArguments, syntax[1].Place, $"{Shown.Of(pattern)} is no regular expression.");
    }

    /// <summary>What is known of an argument's type fits, and a constant time is read once.</summary>
    private Expr CheckArgument(Function function, int index, Expr argument, TextSpan place)
    {
        var constant = (argument as ConstantExpr)?.Value ?? Value.Null;
        var fits = (function.Parameters[index], argument.Type) switch
        {
            (_, null) or (Parameter.Any, _) => true,
            (Parameter.Array, var type) => type == ValueKind.Array,
            (Parameter.Record, var type) => type == ValueKind.Record,
            (Parameter.Text, var type) => type is not (ValueKind.Record or ValueKind.Array),
            (Parameter.DateTime, ValueKind.Text) => constant.IsNull || Conversion.TryDateTime(constant, out _),
            (Parameter.DateTime, var type) => type == ValueKind.DateTime,
            (_, ValueKind.Text) => constant.IsNull || Conversion.TryNumber(constant, out _),
            (_, var type) => type is ValueKind.BigInt or ValueKind.Float or ValueKind.Bit,
        };
        if (!fits)
        {
            var found = constant.IsNull ? $"a {argument.Type!.Value.Name()}" : Shown.Of(constant);
            Error(SaqlErrors.BadArguments, place, $"Argument {index + 1} of {function.Signature} cannot be {found}.");
            return argument;
        }

        var isTime = function.Parameters[index] == Parameter.DateTime && constant.Kind == ValueKind.Text;
        return isTime && Conversion.TryDateTime(constant, out var time) ? new ConstantExpr(time) : argument;
    }

    private Expr BindMetadata(CallSyntax call)
    {
        if (call.Arguments[0] is not NameSyntax source || !Scope.IsSource(source))
        {
            Error(SaqlErrors.BadArguments, call.Arguments[0].Place,
                $"GetMetadataPropertyValue needs the input first: {string.Join(" or ", Scope.SourceNames)}.");
            return Nothing;
        }

        if (call.Arguments[1] is not LiteralSyntax { Value: string path })
        {
            Error(SaqlErrors.BadArguments, call.Arguments[1].Place,
                "The property is a constant text, such as '[User].[name]' or '[IoTHub].[ConnectionDeviceId]'.");
            return Nothing;
        }

        if (MetadataPath.TryParse(path, out var field))
        {
            if (Scope.SourceNamed(source)!.Names.Meta(field) is { } property) return property;
            Error(SaqlErrors.BadArguments, call.Arguments[0].Place,
                $"{source.Parts[0].Text} is a step without an input's metadata; read the property in the step.");
            return Nothing;
        }

        Error(SaqlErrors.UnknownWord, call.Arguments[1].Place,
            $"Found '{path}'; expected '[User].[name]', '[User]', '[IoTHub].[property]' with " +
                $"{Suggestions.List(MetadataNames.OfIoTHub)}, '[EventHub].[property]' with " +
                $"{Suggestions.List(MetadataNames.OfEventHub)}, " +
            "or one of EventEnqueuedUtcTime, EventProcessedUtcTime, PartitionId, EventId, IoTHub, EventHub.");
        return Nothing;
    }
}

/// <summary>The property path of GetMetadataPropertyValue: names with or without brackets, parted by a dot.</summary>
internal static class MetadataPath
{
    public static bool TryParse(string path, out MetadataField field)
    {
        field = default;
        var dot = path.StartsWith('[') ? path.IndexOf("].", StringComparison.Ordinal) + 1 : path.IndexOf('.');
        var first = Bare(dot <= 0 ? path : path[..dot]);
        var second = dot <= 0 ? "" : Bare(path[(dot + 1)..]);
        if (first.Equals("User", StringComparison.OrdinalIgnoreCase))
        {
            field = second.Length == 0
                ? new MetadataField(MetadataKind.Properties)
                : new MetadataField(MetadataKind.Header, "app." + second);
            return true;
        }

        return MetadataNames.TryPath(first, second, out field);
    }

    private static string Bare(string name) =>
        name.StartsWith('[') && name.EndsWith(']') ? name[1..^1].Replace("]]", "]") : name;
}
