"""Every argument that v3's documents and public configs name is taken by the component of that name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping

import pytest

from vesalia.mmar.v3_arguments import without_effect
from vesalia.registry.registry import find
from vesalia.registry.signature import read_signature

_FIELDS = "fields"
_LABELLED = "image_field label_field"
_CROP = "size fields label_field pos neg batch_size batches_to_gen_at_once"
_NORMS = "use_batch_norm use_group_norm use_group_normG reg_weight"
_NETWORK = "num_classes final_activation data_format dtype"
_PRETRAINED = "pretrain_weight_name pretrain_weight_url"
_DICE = "data_format skip_background squared_pred jaccard smooth top_smooth is_onehot_targets"
_AUX = "do_summary do_print"
_METRIC = "name field do_summary do_print is_key_metric report_path"
_NODES = "input_node_names output_node_names"
_PIPELINE = (
    "data_list_file_path data_file_base_dir data_list_key output_crop_size output_batch_size batched_by_transforms "
    "num_workers prefetch_size output_image_channels output_label_channels output_data_format output_data_dims "
    "output_image_dtype shuffle repeat duplicate_count batch_transforms extra_inputs output_label_format"
)
_KERAS = f"{_PIPELINE} multiprocessing items_per_category category_weights"
_CACHE = "num_cache_objects replace_percent caches_data"

NAMED: Mapping[str, Mapping[str, str]] = {
    "transform": {
        "LoadNifti": f"{_FIELDS} as_closest_canonical dtype shape",
        "LoadPng": _FIELDS,
        "LoadJpg": _FIELDS,
        "LoadImageMasksFromNumpy": _FIELDS,
        "ConvertToChannelsFirst": _FIELDS,
        "ConvertToChannelsLast": _FIELDS,
        "RepeatChannel": f"{_FIELDS} repeat_times",
        "ScaleByResolution": f"{_FIELDS} target_resolution is_label",
        "ScaleByFactor": f"{_FIELDS} factor is_label",
        "ScaleBySpacing": f"{_FIELDS} target_spacing is_label",
        "ScaleToShape": f"{_FIELDS} target_shape is_label",
        "RestoreOriginalShape": "field src_field is_label",
        "ScaleIntensityRange": f"{_FIELDS} a_min a_max b_min b_max clip dtype a_offset",
        "NormalizeNonzeroIntensities": _FIELDS,
        "CenterData": f"{_FIELDS} subtrahend divisor",
        "AdjustContrast": f"{_FIELDS} gamma probability",
        "ScaleIntensityOscillation": f"{_FIELDS} magnitude probability",
        "ScaleShiftIntensity": f"{_FIELDS} scale shift probability",
        "AddGaussianNoise": f"{_FIELDS} probability variance",
        "RandomGaussianSmooth": f"{_FIELDS} sigma probability",
        "RandomMRBiasField": f"{_FIELDS} probability",
        "RandomZoom": f"{_LABELLED} lower_limits upper_limits probability keep_size",
        "RandomAxisFlip": f"{_FIELDS} probability",
        "RandomSpatialFlip": f"{_FIELDS} probability",
        "RandomRotate2D": f"{_FIELDS} angle is_random",
        "RandomRotate3D": f"{_FIELDS} probability",
        "CropFixedSizeRandomCenter": f"{_FIELDS} size",
        "CropSubVolumeCenter": f"{_FIELDS} size",
        "CropRandomSizeWithDisplacement": f"{_FIELDS} lower_size max_displacement keep_aspect",
        "CropForegroundObject": f"size {_LABELLED} pert margin",
        "SymmetricPadderDiv": f"{_FIELDS} div_int",
        "CropByPosNegRatio": _CROP,
        "FastCropByPosNegRatio": _CROP,
        "CropByPosNegRatioLabelOnly": _CROP,
        "FastPosNegRatioCropROI": (
            f"size {_LABELLED} pos neg deform rotation rotation_degree scale scale_factor fast_crop batch_size"
        ),
        "AddExtremePointsChannel": (
            f"{_LABELLED} dtype sigma permutation rescale_min rescale_max points_channel_field"
        ),
        "ConvertToMultiChannelBasedOnLabel": _FIELDS,
        "ConvertToMultiChannelBasedOnBratsClasses": _FIELDS,
        "SplitBasedOnBratsClasses": "field",
        "SplitBasedOnLabel": "field label_names",
        "SplitAcrossChannels": "field channel_names",
        "ArgmaxAcrossChannels": _FIELDS,
        "ThresholdValues": f"{_FIELDS} threshold",
        "KeepLargestCC": _FIELDS,
        "CopyProperties": f"{_FIELDS} from_field properties",
        "FetchExtremePoints": f"{_LABELLED} points",
        "SaveAsNifti": f"{_FIELDS} out_dir interrupt",
        "MergeBatchDims": _FIELDS,
    },
    "model": {
        "Unet": f"{_NETWORK} {_NORMS} nf_enc nf_dec dropout",
        "UnetParallel": f"{_NETWORK} {_NORMS} nf_enc nf_dec dropout",
        "SegResnet": f"{_NETWORK} {_NORMS} blocks_down blocks_up init_filters dropout_prob use_vae",
        "SegAhnet": f"{_NETWORK} {_PRETRAINED} if_use_psp plane n_spatial_dim",
        "DenseNet121": f"{_NETWORK} {_PRETRAINED}",
        "Alexnet": f"{_NETWORK} {_NORMS} num_feat mil dropout_prob",
    },
    "loss": {
        "Dice": _DICE,
        "CrossEntropy": "data_format skip_background smooth is_onehot_targets",
        "Focal": "data_format skip_background is_onehot_targets",
        "FocalDice": _DICE,
        "CrossEntropyDice": _DICE,
        "BinaryClassificationLoss": "",
        "MulticlassClassificationLoss": "",
        "WeightedMulticlassClassificationLoss": "class_weights",
    },
    "optimizer": {
        "Adam": "beta1 beta2 epsilon",
        "Momentum": "momentum",
        "NovoGrad": "beta1 beta2 epsilon weight_decay grad_averaging",
    },
    "lr_policy": {
        "ReducePoly": "poly_power",
        "ReduceCosine": "rate",
        "DecayOnStep": "decay_ratio decay_freq",
        "ReduceOnPlateau": "plateau_count_trigger reduction_rate",
    },
    "aux_op": {
        "NegLoss": f"tag {_AUX}",
        "ComputeDice": f"tag is_onehot_targets is_independent_predictions data_format skip_background {_AUX}",
        "DiceMaskedOutput": f"tags is_onehot_targets is_independent_predictions skip_background {_AUX}",
        "ComputeAccuracy": f"tag use_sigmoid {_AUX}",
        "ComputeBinaryPreds": "binary_preds_name binary_labels_name",
    },
    "metric": {
        "ComputeAverageDice": f"{_METRIC} label_field is_2d remove_bg logit_thresh is_one_hot_targets",
        "ComputeAverage": f"{_METRIC} invalid_value negate_value",
        "ComputeAUC": f"{_METRIC} label_field auc_average class_index include_list",
        "ComputeMulticlassAverage": f"{_METRIC} label_field auc_average label_index",
    },
    "inferer": {"TFSimpleInferer": "", "TFScanWindowInferer": "roi_size batch_size"},
    "writer": {
        "WriteNifti": "field dtype write_path",
        "WritePng": "field write_path",
        "WriteClassificationResult": "field write_path",
    },
    "model_loader": {
        "CheckpointLoader": f"checkpoint_dir {_NODES} checkpoint_file_prefix infer_in_training_mode",
        "FrozenGraphModelLoader": f"model_file_path {_NODES}",
    },
    "image_pipeline": {
        "SegmentationImagePipeline": _PIPELINE,
        "SegmentationImagePipelineWithCache": f"{_PIPELINE} {_CACHE}",
        "SegmentationKerasImagePipeline": _KERAS,
        "SegmentationKerasImagePipelineWithCache": f"{_KERAS} {_CACHE}",
        "ClassificationImagePipeline": _PIPELINE,
        "ClassificationImagePipelineWithCache": f"{_PIPELINE} {_CACHE}",
        "ClassificationKerasImagePipeline": _KERAS,
        "ClassificationKerasImagePipelineWithCache": f"{_KERAS} {_CACHE}",
    },
    "handler": {"StatsHandler": ""},
}


COMPONENTS = [(slot, name) for slot, names in NAMED.items() for name in names]


@pytest.mark.parametrize(("slot", "name"), COMPONENTS)
def test_are_taken(slot: str, name: str) -> None:
    target = find(slot, name)
    assert target is not None
    signature = read_signature(target)
    named = NAMED[slot][name].split()
    refused = [
        one for one in named if one not in signature.parameters and not without_effect(one, slot=slot, component=name)
    ]
    assert signature.is_open or refused == []
