using Millrace.Saql.Expressions;
using Millrace.Saql.Models;
using Millrace.Saql.Parsing;
using Millrace.Saql.Values;

namespace Millrace.Saql.Binding;

internal abstract partial class ExpressionBinder
{
    /// <summary>ML_SCORE('name', feature, ...): the model is known, and its features fit.</summary>
    private Expr BindScore(CallSyntax call)
    {
        if (!CheckCount(call, 2, ScoreExpr.FeaturesMax + 1)) return Nothing;
        if (call.Arguments[0] is not LiteralSyntax { Value: string name })
        {
            Error(SaqlErrors.BadArguments, call.Arguments[0].Place,
                $"{QueryModel.Function} needs the model's name first, as a constant text.");
            return Nothing;
        }

        var features = call.Arguments.Skip(1).ToList();
        var values = features.Select(Bind).ToArray();
        if (Scope.Builder.KnownModels is { } known && !CheckModel(call, name, known)) return Nothing;
        for (var i = 0; i < values.Length; i++) CheckFeature(name, i, values[i], features[i].Place);
        return new ScoreExpr(Scope.Builder.Model(name), name, values);
    }

    private bool CheckModel(CallSyntax call, string name, IReadOnlyCollection<QueryModel> known)
    {
        if (known.FirstOrDefault(one => one.Name == name) is not { } model)
        {
            var names = known.Select(one => one.Name).Order(StringComparer.Ordinal).ToList();
            Error(SaqlErrors.UnknownModel, call.Arguments[0].Place,
                $"There is no promoted model '{name}'.{Suggestions.For(name, names)}" +
                (names.Count == 0 ? "" : $" There are {Suggestions.List(names)}."));
            return false;
        }

        var count = call.Arguments.Count - 1;
        if (count == model.Features.Count) return true;
        Error(SaqlErrors.BadArguments, call.Place,
            $"{model.Call} takes {model.Features.Count} feature{(model.Features.Count == 1 ? "" : "s")}; " +
            $"found {count}.");
        return false;
    }

    private void CheckFeature(string name, int index, Expr value, TextSpan place)
    {
        var constant = (value as ConstantExpr)?.Value ?? Value.Null;
        var fits = value.Type switch
        {
            null or ValueKind.BigInt or ValueKind.Float or ValueKind.Bit => true,
            ValueKind.Text => constant.IsNull || Conversion.TryNumber(constant, out _),
            _ => false,
        };
        if (fits) return;
        var model = Scope.Builder.KnownModels?.FirstOrDefault(one => one.Name == name);
        var feature = model is null ? $"Feature {index + 1}" : $"Feature {index + 1} ({model.Features[index]})";
        var found = constant.IsNull ? $"a {value.Type!.Value.Name()}" : Shown.Of(constant);
        Error(SaqlErrors.BadArguments, place,
            $"{feature} of {QueryModel.Function}('{name}') is a number, not {found}.");
    }
}
