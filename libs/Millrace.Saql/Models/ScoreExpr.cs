using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Models;

/// <summary>ML_SCORE: a null feature makes it null; what is no number fails the row.</summary>
/// <param name="model">The model's number in the plan.</param>
internal sealed class ScoreExpr(int model, string name, Expr[] features) : Expr
{
    public const int FeaturesMax = 256;

    public override ValueKind? Type => ValueKind.Float;

    /// <summary>A new version of the model comes to each place at an offset of its own.</summary>
    public override bool IsSteady => false;

    public override IReadOnlyList<Expr> Parts => features;

    public override Value Evaluate(Frame frame)
    {
        Span<float> values = stackalloc float[features.Length];
        for (var i = 0; i < features.Length; i++)
        {
            var value = features[i].Evaluate(frame);
            if (value.IsNull) return Value.Null;
            if (!Conversion.TryNumber(value, out var number))
            {
                return frame.Fail(SaqlErrors.ValueMismatch,
                    $"{QueryModel.Function}('{name}'): feature {i + 1} cannot be {Shown.Of(value)} " +
                        $"({value.Kind.Name()}).");
            }

            values[i] = (float)(number.Kind == ValueKind.BigInt ? number.Integer : number.Number);
        }

        return Scored(frame, values);
    }

    private Value Scored(Frame frame, ReadOnlySpan<float> values)
    {
        if (frame.Scorers[model] is not { } scorer)
            return frame.Fail(SaqlErrors.ScoringFailed, $"No version of {name} was given.");
        try
        {
            var score = scorer.Score(values);
            return double.IsFinite(score)
                ? Value.Of(score)
                : frame.Fail(SaqlErrors.ScoringFailed, $"Version {scorer.Version} of {name} gave no finite number.");
        }
        catch (Exception failure)
        {
            return frame.Fail(SaqlErrors.ScoringFailed,
                $"Version {scorer.Version} of {name}: {failure.GetBaseException().Message}");
        }
    }
}
